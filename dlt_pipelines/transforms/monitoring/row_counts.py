"""How many rows of each source table came, were refused, and are in silver, by day.

The day is the one on which the source wrote the row (an update or a booking); where a delivered
row's text is no date, it is the day of its commit. The rows of all tables are put together first
and counted once.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines import dms, quality
from dlt_pipelines.gold_rules import GOLD_RULES
from dlt_pipelines.source_tables import History, SourceTable
from dlt_pipelines.transforms.changes import typed_changes


def delivered(bronze: DataFrame, table: SourceTable) -> DataFrame:
    """Change rows as they came: `table_name`, and the texts of their day and commit time."""
    return bronze.selectExpr(
        f"'{table.name}' AS table_name",
        f"left({table.day}, 10) AS day_text",
        f"{dms.COMMIT_TIME} AS {dms.COMMIT_TIME}",
    )


def count_delivered(frames: list[DataFrame]) -> DataFrame:
    """One row per table and day: `rows`, and the `newest_commit` among them.

    Rows are counted by their texts first: there are few of these, and to read a time out of the
    text of every row took most of the work.
    """
    texts = reduce(DataFrame.unionByName, frames)
    counted = texts.groupBy("table_name", "day_text", dms.COMMIT_TIME).agg(F.count("*").alias("n"))
    return counted.groupBy("table_name", F.expr(_day_of("day_text")).alias("day")).agg(
        F.sum("n").alias("rows"), F.max(F.expr(dms.COMMITTED)).alias("newest_commit")
    )


def refused(quarantine: DataFrame, table: SourceTable) -> DataFrame:
    """Refused rows, once for each rule they break: `table_name`, `day`, `rule`, `amount`.

    `row` is 1 at the first rule of a row and 0 at its others.
    """
    return quarantine.selectExpr(
        f"'{table.name}' AS table_name",
        f"{_day(table)} AS day",
        f"{_at_stake(table)} AS amount",
        "posexplode(_reasons) AS (position, rule)",
    ).selectExpr("table_name", "day", "rule", "amount", "if(position = 0, 1, 0) AS row")


def warned_on_raw(bronze: DataFrame, table: SourceTable) -> DataFrame:
    """Like `refused`: rows that break a rule which only warns, on values that silver hides."""
    broken = quality.broken(quality.raw_warn_rules(table))
    reasons = typed_changes(bronze, table).selectExpr("_raw.*", f"{broken} AS _reasons")
    return refused(reasons, table).withColumn("row", F.lit(0))


def count_refused(frames: list[DataFrame]) -> DataFrame:
    """One row per table, day and rule: `failed`, `amount_at_stake`.

    `rows` counts every refused row once, at its first rule.
    """
    sums = F.sum("amount").alias("amount_at_stake"), F.sum("row").alias("rows")
    counts = F.count("*").alias("failed"), *sums
    return reduce(DataFrame.unionByName, frames).groupBy("table_name", "day", "rule").agg(*counts)


def checked(silver: DataFrame, table: SourceTable) -> DataFrame:
    """Current rows of silver: `table_name`, `day`, `amount`, and the warn rules they break."""
    rows = silver.where("__END_AT IS NULL") if table.history is History.VERSIONS else silver
    return rows.selectExpr(
        f"'{table.name}' AS table_name",
        f"to_date({table.day}) AS day",
        f"CAST({table.at_stake or 'NULL'} AS DECIMAL(18,2)) AS amount",
        f"{quality.broken(quality.warn_rules(table))} AS broken",
    )


def gold_checked(rows: DataFrame, table: str) -> DataFrame:
    """Rows of a gold table: `table_name`, `amount`, and the rules they break."""
    rules = GOLD_RULES[table]
    return rows.selectExpr(
        f"'{table}' AS table_name",
        f"CAST({rules.at_stake or 'NULL'} AS DECIMAL(18,2)) AS amount",
        f"{quality.broken(rules.rules)} AS broken",
    )


def count_gold_checked(frames: list[DataFrame], latest: DataFrame) -> DataFrame:
    """Like `count_checked`, of rows of gold tables; their `day` is the `latest` valuation."""
    day = F.broadcast(latest.selectExpr("valuation_date AS day"))
    return count_checked([reduce(DataFrame.unionByName, frames).crossJoin(day)])


def count_checked(frames: list[DataFrame]) -> DataFrame:
    """One row per table, day and set of broken rules: `rows`, `amount` and `amount_at_stake`.

    At stake are the absolute amounts, so that a booking and its reversal do not hide each other.
    """
    sums = {"amount": F.sum("amount"), "amount_at_stake": F.sum(F.abs("amount"))}
    counts = F.count("*").alias("rows"), *(total.alias(name) for name, total in sums.items())
    return reduce(DataFrame.unionByName, frames).groupBy("table_name", "day", "broken").agg(*counts)


def _day(table: SourceTable) -> str:
    return _day_of(f"left({table.day}, 10)")


def _day_of(text: str) -> str:
    return f"coalesce(to_date(try_cast({text} AS TIMESTAMP)), to_date({dms.COMMITTED}))"


def _at_stake(table: SourceTable) -> str:
    return f"abs(try_cast({table.at_stake or 'NULL'} AS DECIMAL(18,2)))"
