"""The configuration keys of the pipeline, all read here, with their defaults.

Pipeline configuration is text. Each function takes the session of the pipeline file that asks.
Keys for tables that are not built yet are not read, so that setting one is reported as unused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

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


@dataclass(frozen=True)
class BySegment:
    """A number for every segment: its own where one is configured, else the general one."""

    general: Decimal | None
    own: Mapping[str, Decimal]

    def of(self, segment: Column) -> Column:
        """The number that holds for a segment column; null where none is set."""
        value = F.lit(self.general)
        for name, number in self.own.items():
            value = F.when(segment == name, F.lit(number)).otherwise(value)
        return value

    def text_of(self, segment: Column) -> Column:
        """The same number as plain text (100000, never 1E+5); null where none is set."""
        value = F.lit(_plain(self.general))
        for name, number in self.own.items():
            value = F.when(segment == name, F.lit(_plain(number))).otherwise(value)
        return value


@dataclass(frozen=True)
class ValueAssumptions:
    """What the lifetime value of a customer rests on; ratios are shares of premium."""

    expected_loss_ratio: BySegment
    commission_ratio: Decimal
    expense_ratio: Decimal
    discount_rate: Decimal
    years: Decimal


def landing(spark: SparkSession) -> str:
    """`insurance.landing`: the folder or volume that holds `<schema>/<table>/…`; required."""
    folder = _text(spark, "insurance.landing")
    if folder is None:
        raise ValueError("insurance.landing is not set: the folder or volume where DMS writes")
    return folder


def pii_salt(spark: SparkSession) -> str:
    """`insurance.pii_salt`: what goes into every digest of an identifier; default empty.

    Deployed, it is a reference to a secret (`{{secrets/<scope>/<key>}}`). Changing it changes
    every digest, so it needs a full refresh of silver.
    """
    return _text(spark, "insurance.pii_salt") or ""


def valuation_date(spark: SparkSession) -> date | None:
    """`insurance.valuation_date` (YYYY-MM-DD); None = the last business date not ahead."""
    text = _text(spark, "insurance.valuation_date")
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"insurance.valuation_date is {text!r}, not YYYY-MM-DD") from None


def large_loss_cap(spark: SparkSession) -> BySegment:
    """`insurance.large_loss_cap[.<segment>]`: where a claim counts as large; default 100000."""
    return _by_segment(spark, "insurance.large_loss_cap", "100000")


def first_origin_year(spark: SparkSession) -> BySegment:
    """`insurance.first_origin_year[.<segment>]`: earlier accident years are left out of triangles.

    Default none: all years are in.
    """
    return _by_segment(spark, "insurance.first_origin_year", None)


def reporting_currency(spark: SparkSession) -> str:
    """`insurance.reporting_currency`: the currency of every sum in gold; default EUR."""
    return (_text(spark, "insurance.reporting_currency") or "EUR").upper()


def exchange_rates(spark: SparkSession) -> list[tuple[date, str, Decimal, Decimal]]:
    """`insurance.exchange_rate.<currency>.<YYYY-MM>`: average and closing rate, with a comma.

    A rate is the worth of one unit in the reporting currency; default none. Gives (first day of
    the month, currency, average rate, closing rate).
    """
    prefix = "insurance.exchange_rate."
    return [_exchange_rate(spark, prefix, key) for key in _keys(spark, prefix)]


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
    return _number("insurance.tail_factor", _text(spark, "insurance.tail_factor") or "1.000")


def ldf_average(spark: SparkSession) -> str:
    """`insurance.ldf_average`: the average of gold_ldf that ultimates use; default volume."""
    return _text(spark, "insurance.ldf_average") or "volume"


def selected_ldfs(spark: SparkSession) -> list[tuple[str, str, int, float]]:
    """`insurance.selected_ldf.<segment>.<measure>.<age>`: factors set by hand; default none.

    Gives (segment, measure, age in months, factor).
    """
    prefix = "insurance.selected_ldf."
    return [_selected_ldf(spark, key) for key in _keys(spark, prefix)]


def _selected_ldf(spark: SparkSession, key: str) -> tuple[str, str, int, float]:
    parts = key.removeprefix("insurance.selected_ldf.").split(".")
    if len(parts) != 3 or not parts[2].isdecimal():
        raise ValueError(f"{key} is not insurance.selected_ldf.<segment>.<measure>.<age in months>")
    segment, measure, age = parts
    return segment, measure, int(age), float(_number(key, spark.conf.get(key)))


def expected_loss_ratio(spark: SparkSession) -> BySegment:
    """`insurance.expected_loss_ratio[.<segment>]`: losses expected / premium; default 0.65."""
    return _by_segment(spark, "insurance.expected_loss_ratio", "0.65")


def fraud_rules(spark: SparkSession) -> dict[str, FraudRule]:
    """The fraud rules by id; `insurance.fraud_rule.<rule_id>.<attribute>` takes precedence.

    Attributes: points, parameter, window_days, minimum_peers, causes (with commas), active.
    """
    rules = {rule.rule_id: rule for rule in FRAUD_RULES}
    prefix = "insurance.fraud_rule."
    for key in _keys(spark, prefix):
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
    high, medium = "insurance.fraud_band.high", "insurance.fraud_band.medium"
    return (
        _whole(high, _text(spark, high) or "60"),
        _whole(medium, _text(spark, medium) or "30"),
    )


def value_assumptions(spark: SparkSession) -> ValueAssumptions:
    """What a customer's lifetime value rests on, besides the renewal ratios of the data.

    `insurance.expected_loss_ratio[.<segment>]`, `insurance.commission_ratio` (default 0.12),
    `insurance.expense_ratio` (0.10), `insurance.discount_rate` (0.05), `insurance.clv_years` (5).
    """
    return ValueAssumptions(
        expected_loss_ratio=expected_loss_ratio(spark),
        commission_ratio=_number_of(spark, "insurance.commission_ratio", "0.12"),
        expense_ratio=_number_of(spark, "insurance.expense_ratio", "0.10"),
        discount_rate=_number_of(spark, "insurance.discount_rate", "0.05"),
        years=_number_of(spark, "insurance.clv_years", "5"),
    )


def band_edges(spark: SparkSession) -> dict[str, tuple[int, ...]]:
    """`insurance.band.<name>`: the lower edges of a band, ascending, with commas."""
    edges = dict(BAND_EDGES)
    for key in _keys(spark, "insurance.band."):
        name, text = key.removeprefix("insurance.band."), spark.conf.get(key) or ""
        numbers = [part.strip() for part in text.split(",")]
        if name not in edges:
            raise ValueError(f"{key} names no band: the bands are {', '.join(edges)}")
        if not all(part.isdecimal() for part in numbers):
            raise ValueError(f"{key} is {text!r}, not whole numbers with commas between")
        edges[name] = tuple(sorted({int(part) for part in numbers}))
    return edges


def anomaly_days(spark: SparkSession) -> int:
    """`insurance.anomaly_days`: how many days gold_anomaly_day looks back; default 366."""
    return _whole("insurance.anomaly_days", _text(spark, "insurance.anomaly_days") or "366")


def stale_price_days(spark: SparkSession) -> int:
    """`insurance.stale_price_days`: a fund price older than this is stale; default 5."""
    key = "insurance.stale_price_days"
    return _whole(key, _text(spark, key) or "5")


def _by_segment(spark: SparkSession, key: str, default: str | None) -> BySegment:
    general = _text(spark, key) or default
    own = {
        name.removeprefix(f"{key}."): _number(name, spark.conf.get(name))
        for name in _keys(spark, f"{key}.")
    }
    return BySegment(None if general is None else _number(key, general), own)


def _keys(spark: SparkSession, prefix: str) -> list[str]:
    return sorted(name for name in spark.conf.getAll if name.startswith(prefix))


def _text(spark: SparkSession, key: str) -> str | None:
    return (spark.conf.get(key, "") or "").strip() or None


def _number(key: str, text: str | None) -> Decimal:
    try:
        return Decimal(text or "")
    except InvalidOperation:
        raise ValueError(f"{key} is {text!r}, not a number") from None


def _number_of(spark: SparkSession, key: str, default: str) -> Decimal:
    return _number(key, _text(spark, key) or default)


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else format(number.normalize(), "f")


def _whole(key: str, text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{key} is {text!r}, not a whole number")
    return int(text)


def _boolean(key: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{key} is {text!r}, not true or false")
    return text.lower() == "true"


def _names(key: str, text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


_RULE_ATTRIBUTES: dict[str, Callable[[str, str], Any]] = {
    "points": _whole,
    "parameter": _number,
    "window_days": _whole,
    "minimum_peers": _whole,
    "causes": _names,
    "active": _boolean,
}
