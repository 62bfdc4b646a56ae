"""How often each rule was kept and broken, and the money of the rows that broke it."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_KEYS = ("table_name", "day", "rule")
_SUMS = ("failed", "amount_at_stake")


def metrics(
    delivered: DataFrame, refused: DataFrame, checked: DataFrame, crossed: DataFrame,
    rules: DataFrame,
) -> DataFrame:  # fmt: skip
    """One row per day, table and rule: `action`, `passed`, `failed`, `amount_at_stake`.

    Rules on change rows are measured against the rows delivered, rules on silver against its
    current rows; passed = those rows - failed. A day without a row of the table has none here.

    Args:
        delivered: `table_name`, `day`, `rows`.
        refused: `table_name`, `day`, `rule`, `failed`, `amount_at_stake`.
        checked: `table_name`, `day`, `broken`, `rows`, `amount_at_stake`.
        crossed: like `refused`, of rules that look at several rows.
        rules: `table_name`, `rule`, `action`, and `basis`: change, row or cross.
    """
    current = checked.groupBy("table_name", "day").agg(F.sum("rows").alias("rows"))
    rows = _counted(delivered, on_change=True).unionByName(_counted(current, on_change=False))
    broken = checked.select(
        "table_name", "day", F.explode("broken").alias("rule"), F.col("rows").alias("failed"),
        "amount_at_stake",
    )  # fmt: skip
    failures = (each.select(*_KEYS, *_SUMS) for each in (refused, broken, crossed))
    actions = rules.selectExpr("table_name", "rule", "action", "basis = 'change' AS on_change")
    return _measured(rows, F.broadcast(actions), reduce(DataFrame.unionByName, failures))


def _counted(rows: DataFrame, *, on_change: bool) -> DataFrame:
    """Rows per table and day: change rows, or current rows of silver."""
    counted = F.col("rows").cast("bigint").alias("rows")
    return rows.select("table_name", "day", counted, F.lit(on_change).alias("on_change"))


def _measured(rows: DataFrame, rules: DataFrame, failures: DataFrame) -> DataFrame:
    """Every rule on every day with rows. Failures of a day without rows stay, none passed.

    There are few failures, so they are added up before they meet the rules of all days. Keys are
    structs, which are equal also where both have no day.
    """
    key = F.struct(*_KEYS).alias("key")
    day = F.struct("table_name", "day", "on_change").alias("table_day")
    sums = (F.sum(name).alias(name) for name in _SUMS)
    failed = failures.groupBy(*_KEYS).agg(*sums)
    failed = failed.join(rules, ["table_name", "rule"]).select("*", key, day)
    measured = rows.join(rules, ["table_name", "on_change"]).select("*", key)
    met = measured.join(F.broadcast(failed.select("key", *_SUMS)), "key", "left")
    lone = failed.join(F.broadcast(rows.select(day)), "table_day", "left_anti")
    failed_rows = F.coalesce("failed", F.lit(0))
    return met.unionByName(lone, allowMissingColumns=True).select(
        "day",
        "table_name",
        "rule",
        "action",
        F.greatest(F.coalesce("rows", F.lit(0)) - failed_rows, F.lit(0)).alias("passed"),
        failed_rows.alias("failed"),
        F.col("amount_at_stake").cast("decimal(18,2)").alias("amount_at_stake"),
    )
