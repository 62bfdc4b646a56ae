"""What the source counted of itself against what arrived, by table and day.

The source counts its tables when a business day is closed and writes the days that changed into a
control table, which DMS replicates like any other. A day is the one on which a row was last
written, so an update moves a row from one day to another, on both sides.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines import dms
from dlt_pipelines.source_tables import CONTROL_TABLE
from dlt_pipelines.transforms.changes import typed_changes

_KEY = ("table_name", "day")


def source_counts(delivered: DataFrame) -> DataFrame:
    """The last count of each table and day: `source_rows`, `source_amount`, `counted_at`.

    `counted` is when it was committed, on the clock of the changes.
    """
    counts = typed_changes(delivered, CONTROL_TABLE)
    last = F.max_by(F.struct(dms.OP, "row_count", "amount", "counted_at", "_commit_ts"), "_seq")
    return (
        counts.groupBy(*_KEY)
        .agg(last.alias("last"))
        .where(f"last.{dms.OP} <> 'D'")
        .selectExpr(
            *_KEY, "last.row_count AS source_rows", "last.amount AS source_amount",
            "last.counted_at", "last._commit_ts AS counted",
        )
    )  # fmt: skip


def reconciliation(
    counts: DataFrame, checked: DataFrame, refused: DataFrame, booked: DataFrame,
    delivered: DataFrame,
) -> DataFrame:  # fmt: skip
    """One row per table and day: rows and money at the source, in silver and in gold.

    `explanation` of a difference between source and silver:
    changed since the count: a change was committed after the last count, so both may be right.
    refused: the table has rows in quarantine.
    not delivered: neither. It goes away when DMS catches up; a difference that stays is a loss.
    not counted: the source has no control table.

    Args:
        counts: from `source_counts`.
        checked: `table_name`, `day`, `rows`, `amount` of the current rows of silver.
        refused: `table_name`, `day`, `rows` of change rows in quarantine.
        booked: `table_name`, `day`, `amount` of every booking that gold adds up.
        delivered: `newest_commit` of the changes of all tables.
    """
    silver = checked.selectExpr(*_KEY, "rows AS silver_rows", "amount AS silver_amount")
    gold = booked.selectExpr(*_KEY, "1 AS gold_rows", "amount AS gold_amount")
    frames = [counts, silver, refused.selectExpr(*_KEY, "rows AS refused_rows"), gold]
    stacked = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), frames)
    compared = (
        stacked.where("day IS NOT NULL")
        .groupBy(*_KEY)
        .agg(
            *(F.sum(name).alias(name) for name in (*_ROWS, *_AMOUNTS)),
            F.max("counted_at").alias("counted_at"),
        )
        .crossJoin(F.broadcast(counts.agg(F.max("counted").alias("last_count"))))
        .crossJoin(F.broadcast(delivered.agg(F.max("newest_commit").alias("newest_commit"))))
    )
    return compared.selectExpr("*", *_DIFFERENCES).selectExpr(*_COLUMNS)


_ROWS = ("source_rows", "silver_rows", "gold_rows", "refused_rows")
_AMOUNTS = ("source_amount", "silver_amount", "gold_amount")
_COUNTED = "if(last_count IS NULL, NULL, coalesce(source_rows, 0))"
_DIFFERENCES = (
    f"{_COUNTED} - coalesce(silver_rows, 0) AS missing_rows",
    "if(last_count IS NULL, NULL, coalesce(source_amount, 0) - coalesce(silver_amount, 0))"
    " AS missing_amount",
    "sum(refused_rows) OVER (PARTITION BY table_name) AS refused_of_table",
    "max(gold_rows IS NOT NULL) OVER (PARTITION BY table_name) AS is_booked",
)
_EXPLANATION = """
    CASE WHEN last_count IS NULL THEN 'not counted'
         WHEN missing_rows = 0 AND missing_amount = 0 THEN 'agrees'
         WHEN newest_commit > last_count THEN 'changed since the count'
         WHEN refused_of_table > 0 THEN 'refused'
         ELSE 'not delivered' END"""
_COLUMNS = (
    *_KEY,
    f"{_COUNTED} AS source_rows",
    "coalesce(silver_rows, 0) AS silver_rows",
    "if(is_booked, coalesce(gold_rows, 0), NULL) AS gold_rows",
    "coalesce(refused_rows, 0) AS refused_rows",
    "missing_rows",
    "if(is_booked, coalesce(silver_rows, 0) - coalesce(gold_rows, 0), NULL) AS excluded_rows",
    *(f"CAST({name} AS DECIMAL(18,2)) AS {name}" for name in (*_AMOUNTS, "missing_amount")),
    f"{_EXPLANATION} AS explanation",
    "counted_at",
)
