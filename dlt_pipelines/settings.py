"""The configuration keys of the pipeline, all read here, with their defaults.

Pipeline configuration is text. Each function takes the session of the pipeline file that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pyspark.sql import SparkSession

from dlt_pipelines import configuration, dms
from dlt_pipelines.assumptions import AnomalyLimits, BySegment, ValueAssumptions
from dlt_pipelines.fraud_rules import FRAUD_RULES, FraudRule

# Bands by their lower edges. Ages in years, density in people per square kilometre, the bonus level
# (ncd) and the renewal price in percent of the full and of the expiring premium.
BAND_EDGES: Mapping[str, tuple[int, ...]] = {
    "driver_age_band": (18, 21, 26, 31, 41, 51, 71),
    "vehicle_age_band": (0, 1, 2, 5, 10, 15),
    "ncd_band": (50, 51, 60, 80, 100, 125),
    "density_band": (0, 50, 200, 500, 2000, 10000),
    "tenure_band": (1, 3, 6, 11, 21),
    "age_band": (0, 18, 26, 36, 46, 56, 66, 76),
    "price_change_band": (0, 90, 95, 100, 105, 110, 120),
}


def landing(spark: SparkSession) -> str:
    """`insurance.landing`: the folder or volume that holds `<schema>/<table>/…`; required."""
    folder = configuration.text_of(spark, "insurance.landing")
    if folder is None:
        raise ValueError("insurance.landing is not set: the folder or volume where DMS writes")
    return folder


def dms_null_value(spark: SparkSession) -> str:
    r"""`insurance.dms_null_value`: the `CsvNullValue` of the DMS endpoint; default `\N`.

    Set to the empty text, an empty text of the source cannot be told from NULL and becomes NULL.
    """
    return spark.conf.get("insurance.dms_null_value", dms.NULL_TEXT) or ""


def pii_salt(spark: SparkSession) -> str:
    """`insurance.pii_salt`: what goes into every digest of an identifier; default empty.

    Deployed, it is a reference to a secret (`{{secrets/<scope>/<key>}}`). Changing it changes
    every digest, so it needs a full refresh of silver.
    """
    return configuration.text_of(spark, "insurance.pii_salt") or ""


def valuation_date(spark: SparkSession) -> date | None:
    """`insurance.valuation_date` (YYYY-MM-DD); None = the last business date not ahead."""
    text = configuration.text_of(spark, "insurance.valuation_date")
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"insurance.valuation_date is {text!r}, not YYYY-MM-DD") from None


def large_loss_cap(spark: SparkSession) -> BySegment:
    """`insurance.large_loss_cap[.<segment>]`: where a claim counts as large; default 100000."""
    return configuration.by_segment(spark, "insurance.large_loss_cap", "100000")


def first_origin_year(spark: SparkSession) -> BySegment:
    """`insurance.first_origin_year[.<segment>]`: earlier accident years are left out of triangles.

    Default none: all years are in.
    """
    return configuration.by_segment(spark, "insurance.first_origin_year", None)


def reporting_currency(spark: SparkSession) -> str:
    """`insurance.reporting_currency`: the currency of every sum in gold; default EUR."""
    return (configuration.text_of(spark, "insurance.reporting_currency") or "EUR").upper()


def exchange_rates(spark: SparkSession) -> list[tuple[date, str, Decimal, Decimal]]:
    """`insurance.exchange_rate.<currency>.<YYYY-MM>`: average and closing rate, with a comma.

    A rate is the worth of one unit in the reporting currency; default none. Gives (first day of
    the month, currency, average rate, closing rate).
    """
    prefix = "insurance.exchange_rate."
    return [_exchange_rate(spark, prefix, key) for key in configuration.keys(spark, prefix)]


def _exchange_rate(
    spark: SparkSession, prefix: str, key: str
) -> tuple[date, str, Decimal, Decimal]:
    currency, _, month = key.removeprefix(prefix).partition(".")
    numbers = (spark.conf.get(key) or "").split(",")
    try:
        first = date.fromisoformat(f"{month}-01")
        average, closing = (Decimal(number.strip()) for number in numbers)
    except (ValueError, InvalidOperation):
        raise ValueError(
            f"{key} is not {prefix}<currency>.<YYYY-MM> = <average rate>,<closing rate>"
        ) from None
    return first, currency.upper(), average, closing


def tail_factor(spark: SparkSession) -> Decimal:
    """`insurance.tail_factor`: development after the last age of a triangle; default 1.000."""
    return configuration.number_of(spark, "insurance.tail_factor", "1.000")


def ldf_average(spark: SparkSession) -> str:
    """`insurance.ldf_average`: the average of gold_ldf that ultimates use; default volume."""
    return configuration.text_of(spark, "insurance.ldf_average") or "volume"


def selected_ldfs(spark: SparkSession) -> list[tuple[str, str, int, float]]:
    """`insurance.selected_ldf.<segment>.<measure>.<age>`: factors set by hand; default none.

    Gives (segment, measure, age in months, factor).
    """
    prefix = "insurance.selected_ldf."
    return [_selected_ldf(spark, key) for key in configuration.keys(spark, prefix)]


def _selected_ldf(spark: SparkSession, key: str) -> tuple[str, str, int, float]:
    parts = key.removeprefix("insurance.selected_ldf.").split(".")
    if len(parts) != 3 or not parts[2].isdecimal():
        raise ValueError(f"{key} is not insurance.selected_ldf.<segment>.<measure>.<age in months>")
    segment, measure, age = parts
    return segment, measure, int(age), float(configuration.number(key, spark.conf.get(key)))


def expected_loss_ratio(spark: SparkSession) -> BySegment:
    """`insurance.expected_loss_ratio[.<segment>]`: losses expected / premium; default 0.65."""
    return configuration.by_segment(spark, "insurance.expected_loss_ratio", "0.65")


def fraud_rules(spark: SparkSession) -> dict[str, FraudRule]:
    """The fraud rules by id; `insurance.fraud_rule.<rule_id>.<attribute>` takes precedence.

    Attributes: points, parameter, window_days, minimum_peers, causes (with commas), active.
    """
    rules = {rule.rule_id: rule for rule in FRAUD_RULES}
    prefix = "insurance.fraud_rule."
    for key in configuration.keys(spark, prefix):
        rule_id, _, attribute = key.removeprefix(prefix).partition(".")
        if rule_id not in rules or attribute not in _RULE_ATTRIBUTES:
            raise ValueError(
                f"{key} names no fraud rule: the rules are {', '.join(rules)}; their attributes"
                f" {', '.join(_RULE_ATTRIBUTES)}"
            )
        value = _RULE_ATTRIBUTES[attribute](key, (spark.conf.get(key) or "").strip())
        rules[rule_id] = replace(rules[rule_id], **{attribute: value})
    return rules


def fraud_bands(spark: SparkSession) -> tuple[int, int]:
    """`insurance.fraud_band.high` and `.medium`: the lowest score of each; default 60 and 30."""
    return (
        configuration.whole_of(spark, "insurance.fraud_band.high", 60),
        configuration.whole_of(spark, "insurance.fraud_band.medium", 30),
    )


def value_assumptions(spark: SparkSession) -> ValueAssumptions:
    """What a customer's lifetime value rests on, besides the renewal ratios of the data.

    `insurance.expected_loss_ratio[.<segment>]`, `insurance.commission_ratio` (default 0.12),
    `insurance.expense_ratio` (0.10), `insurance.discount_rate` (0.05), `insurance.clv_years` (5).
    """
    return ValueAssumptions(
        expected_loss_ratio=expected_loss_ratio(spark),
        commission_ratio=configuration.number_of(spark, "insurance.commission_ratio", "0.12"),
        expense_ratio=configuration.number_of(spark, "insurance.expense_ratio", "0.10"),
        discount_rate=configuration.number_of(spark, "insurance.discount_rate", "0.05"),
        years=configuration.number_of(spark, "insurance.clv_years", "5"),
    )


def band_edges(spark: SparkSession) -> dict[str, tuple[int, ...]]:
    """`insurance.band.<name>`: the lower edges of a band, ascending, with commas."""
    edges = dict(BAND_EDGES)
    for key in configuration.keys(spark, "insurance.band."):
        name, text = key.removeprefix("insurance.band."), spark.conf.get(key) or ""
        numbers = [part.strip() for part in text.split(",")]
        if name not in edges:
            raise ValueError(f"{key} names no band: the bands are {', '.join(edges)}")
        if not all(part.isdecimal() for part in numbers):
            raise ValueError(f"{key} is {text!r}, not whole numbers with commas between")
        edges[name] = tuple(sorted({int(part) for part in numbers}))
    return edges


def clv_tiers(spark: SparkSession) -> tuple[tuple[str, int], ...]:
    """`insurance.clv_tier.<tier>`: the percent of customers down to the end of a tier, best first.

    Defaults: platinum 10, gold 30, silver 70. The rest is BRONZE.
    """
    defaults = {"platinum": 10, "gold": 30, "silver": 70}
    return tuple(
        (tier.upper(), configuration.whole_of(spark, f"insurance.clv_tier.{tier}", percent))
        for tier, percent in defaults.items()
    )


def household_size(spark: SparkSession) -> int:
    """`insurance.household_size`: more parties at an address are an institution; default 12."""
    return configuration.whole_of(spark, "insurance.household_size", 12)


def life_policy_types(spark: SparkSession) -> tuple[str, ...]:
    """`insurance.life_policy_types`: whose surrenders count; default LIFE, UNIT_LINKED."""
    key = "insurance.life_policy_types"
    return configuration.names(key, configuration.text_of(spark, key) or "LIFE, UNIT_LINKED")


def mature_after_days(spark: SparkSession) -> int:
    """`insurance.mature_after_days`: from the end of an expiry month until it is mature.

    Default 30: two answers in a hundred come after the old term has ended.
    """
    return configuration.whole_of(spark, "insurance.mature_after_days", 30)


def full_credibility_claims(spark: SparkSession) -> int:
    """`insurance.full_credibility_claims`: claims that make a level fully credible; default 1082.

    Poisson counts of so many claims are 5 % off with a probability of 10 %.
    """
    return configuration.whole_of(spark, "insurance.full_credibility_claims", 1082)


def anomaly_limits(spark: SparkSession) -> AnomalyLimits:
    """`insurance.anomaly_<limit>`: what gold_anomaly_day compares with, and when it flags.

    `days` (default 366), `weeks` (8), `fewest_points` (6), `z` (3.5), `tail` (0.001),
    `small_count` (10).
    """
    key = "insurance.anomaly_"
    return AnomalyLimits(
        days=configuration.whole_of(spark, f"{key}days", 366),
        weeks=configuration.whole_of(spark, f"{key}weeks", 8),
        fewest_points=configuration.whole_of(spark, f"{key}fewest_points", 6),
        z=configuration.number_of(spark, f"{key}z", "3.5"),
        tail=configuration.number_of(spark, f"{key}tail", "0.001"),
        small_count=configuration.whole_of(spark, f"{key}small_count", 10),
    )


def stale_price_days(spark: SparkSession) -> int:
    """`insurance.stale_price_days`: a fund price older than this is stale; default 5."""
    return configuration.whole_of(spark, "insurance.stale_price_days", 5)


def largest_price_move(spark: SparkSession) -> Decimal:
    """`insurance.largest_price_move`: of a fund, as a share of the price before; default 0.20."""
    return configuration.number_of(spark, "insurance.largest_price_move", "0.20")


def days_to_book(spark: SparkSession) -> int:
    """`insurance.days_to_book`: from the report of a claim to its first booking; default 30."""
    return configuration.whole_of(spark, "insurance.days_to_book", 30)


_RULE_ATTRIBUTES: dict[str, Callable[[str, str], Any]] = {
    "points": configuration.whole,
    "parameter": configuration.number,
    "window_days": configuration.whole,
    "minimum_peers": configuration.whole,
    "causes": configuration.names,
    "active": configuration.boolean,
}
