"""The stays of a contract: the intervals without a gap in which a policy number is on risk."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

# How a contract ends inside its term, by the reason of the cancellation; any other is `cancelled`.
_EXITS = {"SURRENDER": "surrendered", "DEATH": "claims", "MATURITY": "claims"}
_CONTRACT = ("policy_type", "policy_number")


def with_stays(segments: DataFrame) -> DataFrame:
    """Segments on risk with the stay that each belongs to: `stay_from`, `stay_to` (exclusive).

    Segments of a policy number that touch or overlap are one stay, so a renewal, an endorsement
    and a reinstatement without a gap continue it. Segments without a policy are stays of their
    own, with no policy number. Adds `first_from`, the first day of the contract on risk.
    """
    contract = ("policy_type", F.expr("coalesce(policy_number, CAST(coverage_id AS STRING))"))
    in_order = Window.partitionBy(*contract).orderBy("risk_from", "risk_to")
    before = in_order.rowsBetween(Window.unboundedPreceding, -1)
    is_gap = F.coalesce(F.max("risk_to").over(before) < F.col("risk_from"), F.lit(True))
    numbered = segments.withColumn("_starts", is_gap.cast("int")).withColumn(
        "_stay", F.sum("_starts").over(in_order.rowsBetween(Window.unboundedPreceding, 0))
    )
    stay = Window.partitionBy(*contract, "_stay")
    return numbered.withColumns(
        {
            "stay_from": F.min("risk_from").over(stay),
            "stay_to": F.max("risk_to").over(stay),
            "first_from": F.min("risk_from").over(Window.partitionBy(*contract)),
        }
    ).drop("_starts", "_stay")


def stays(segments: DataFrame) -> DataFrame:
    """One row per stay of a policy number: how it began and how it ended.

    Columns: policy_type, policy_number, first_from, stay_from, stay_to, `entry` and `exit`.
    `entry` is new_business where term 1 starts the contract, else reinstated: the contract was on
    risk before, or its first term is not in the data. `exit` is lapsed where the last term ran to
    its end, else the reason of its cancellation.

    Args:
        segments: from `with_stays`; those without a policy number are left out.
    """
    first_term = F.min(F.when(F.col("risk_from") == F.col("stay_from"), F.col("term_no")))
    last = F.max_by(F.struct("end_date", "cancel_reason"), F.struct("risk_to", "term_no"))
    return (
        segments.where("policy_number IS NOT NULL")
        .groupBy(*_CONTRACT, "first_from", "stay_from", "stay_to")
        .agg(first_term.alias("_term"), last.alias("_last"))
        .withColumn("exit", _exit())
        .withColumn(
            "entry",
            F.expr("if(_term = 1 AND stay_from = first_from, 'new_business', 'reinstated')"),
        )
        .drop("_term", "_last")
    )


def _exit() -> Column:
    reason = F.lit("cancelled")
    for code, name in _EXITS.items():
        reason = F.when(F.col("_last.cancel_reason") == code, F.lit(name)).otherwise(reason)
    return F.when(F.col("stay_to") >= F.col("_last.end_date"), F.lit("lapsed")).otherwise(reason)
