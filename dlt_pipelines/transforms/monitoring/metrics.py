"""How often each rule was kept and broken, and the money of the rows that broke it."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_KEYS = ["table_name", "day", "rule"]


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
    broken = checked.select(
        "table_name", "day", F.explode("broken").alias("rule"), F.col("rows").alias("failed"),
        "amount_at_stake",
    )  # fmt: skip
    failures = _with_failures(current, rules.where("basis = 'row'"), broken)
    changes = _with_failures(delivered, rules.where("basis = 'change'"), refused)
    across = _with_failures(current, rules.where("basis = 'cross'"), crossed)
    return changes.unionByName(failures).unionByName(across)


def _with_failures(rows: DataFrame, rules: DataFrame, failures: DataFrame) -> DataFrame:
    """Every rule on every day with rows. Failures of a day without rows stay, none passed."""
    counted = rows.select("table_name", "day", F.col("rows").cast("bigint").alias("rows"))
    measured = counted.join(F.broadcast(rules.select("table_name", "rule")), "table_name")
    stacked = measured.unionByName(failures.select(*_KEYS, *_FAILED), allowMissingColumns=True)
    summed = stacked.groupBy(*_KEYS).agg(
        F.coalesce(F.sum("rows"), F.lit(0)).alias("rows"),
        F.coalesce(F.sum("failed"), F.lit(0)).alias("failed"),
        F.sum("amount_at_stake").alias("amount_at_stake"),
    )
    actions = F.broadcast(rules.select("table_name", "rule", "action"))
    return summed.join(actions, ["table_name", "rule"]).select(
        "day",
        "table_name",
        "rule",
        "action",
        F.greatest(F.col("rows") - F.col("failed"), F.lit(0)).alias("passed"),
        "failed",
        F.col("amount_at_stake").cast("decimal(18,2)").alias("amount_at_stake"),
    )


_FAILED = ("failed", "amount_at_stake")
