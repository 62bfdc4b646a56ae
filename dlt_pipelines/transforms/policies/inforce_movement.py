"""From the policies in force at one year end to those at the next."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.policies.stays import stays, with_stays

_ENTRIES = ("new_business", "reinstated")
_EXITS = ("cancelled", "lapsed", "surrendered", "claims")
_COUNTS = ("opening_in_force", *_ENTRIES, *_EXITS, "closing_in_force")
_AMOUNTS = ("opening_premium", "new_premium", "exited_premium", "closing_premium")


def inforce_movements(segments: DataFrame, latest: DataFrame) -> DataFrame:
    """One row per calendar year and policy type, from the type's first start to the valuation.

    Policies are counted by policy number and stay (see `stays`): closing = opening + new_business
    + reinstated - cancelled - lapsed - surrendered - claims. Annual premium moves with them;
    `premium_change` is what endorsements and renewals changed on policies that stayed, so that
    closing = opening + new - exited + change. A segment without a policy has premium but is no
    policy. A year in which a type was never on risk has no row. Source: insurance model (b) 2.

    Args:
        segments: from `segments_on_risk`.
        latest: one row, the latest `valuation_date`. The year of the valuation closes on it.
    """
    placed = with_stays(segments)
    policies = _in_years(stays(placed), latest, "stay_from", "stay_to")
    covers = _in_years(placed, latest, "risk_from", "risk_to")
    return (
        policies.select("calendar_year", "policy_type", *_policy_flags())
        .unionByName(
            covers.select("calendar_year", "policy_type", *_premiums()), allowMissingColumns=True
        )
        .groupBy("calendar_year", "policy_type")
        .agg(
            *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in _COUNTS),
            *(
                F.coalesce(F.sum(name), F.lit(0)).cast("decimal(18,2)").alias(name)
                for name in _AMOUNTS
            ),
        )
        .withColumn("premium_change", F.expr(_CHANGE))
    )


_CHANGE = """CAST(closing_premium - opening_premium - new_premium + exited_premium
                  AS DECIMAL(18,2))"""


def _in_years(intervals: DataFrame, latest: DataFrame, start: str, end: str) -> DataFrame:
    """Each interval in each calendar year that it touches, its end day included.

    Adds `calendar_year` and what holds there: `is_opening`, `is_entry`, `is_exit`, `is_closing`.
    """
    years = F.expr(f"sequence(year({start}), year(least({end}, valuation_date)))")
    year_end = "least(make_date(calendar_year, 12, 31), valuation_date)"
    return (
        intervals.crossJoin(F.broadcast(latest.select("valuation_date")))
        .where(f"{start} <= valuation_date")
        .withColumn("calendar_year", F.explode(years))
        .withColumns(
            {
                "is_opening": F.expr(f"year({start}) < calendar_year"),
                "is_entry": F.expr(f"year({start}) = calendar_year"),
                "is_exit": F.expr(f"{end} <= {year_end}"),
                "is_closing": F.expr(f"{end} > {year_end}"),
            }
        )
    )


def _policy_flags() -> list[Column]:
    flags = {"opening_in_force": "is_opening", "closing_in_force": "is_closing"}
    flags |= {name: f"is_entry AND entry = '{name}'" for name in _ENTRIES}
    flags |= {name: f"is_exit AND exit = '{name}'" for name in _EXITS}
    return [F.expr(f"if({flags[name]}, 1, 0)").alias(name) for name in _COUNTS]


def _premiums() -> list[Column]:
    flags = {
        "opening_premium": "is_opening",
        "new_premium": "is_entry AND risk_from = stay_from",
        "exited_premium": "is_exit AND risk_to = stay_to",
        "closing_premium": "is_closing",
    }
    return [F.expr(f"if({flag}, annual_premium, 0)").alias(name) for name, flag in flags.items()]
