"""How the text of a configuration key becomes a value; every error names the key."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from pyspark.sql import SparkSession

from dlt_pipelines.assumptions import BySegment


def by_segment(spark: SparkSession, key: str, default: str | None) -> BySegment:
    """The number of `<key>` and those of every `<key>.<segment>`."""
    general = text_of(spark, key) or default
    by_name = {
        name.removeprefix(f"{key}."): number(name, spark.conf.get(name))
        for name in keys(spark, f"{key}.")
    }
    return BySegment(None if general is None else number(key, general), by_name)


def keys(spark: SparkSession, prefix: str) -> list[str]:
    """The configured keys that start with a prefix."""
    return sorted(name for name in spark.conf.getAll if name.startswith(prefix))


def text_of(spark: SparkSession, key: str) -> str | None:
    """The text of a key; None where it is not set or blank."""
    return (spark.conf.get(key, "") or "").strip() or None


def number_of(spark: SparkSession, key: str, default: str) -> Decimal:
    """The number of a key."""
    return number(key, text_of(spark, key) or default)


def whole_of(spark: SparkSession, key: str, default: int) -> int:
    """The whole number of a key, 0 or more."""
    return whole(key, text_of(spark, key) or str(default))


def number(key: str, text: str | None) -> Decimal:
    """Reads a decimal number."""
    try:
        return Decimal(text or "")
    except InvalidOperation:
        raise ValueError(f"{key} is {text!r}, not a number") from None


def whole(key: str, text: str) -> int:
    """Reads a whole number, 0 or more."""
    if not text.isdecimal():
        raise ValueError(f"{key} is {text!r}, not a whole number")
    return int(text)


def boolean(key: str, text: str) -> bool:
    """Reads true or false."""
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{key} is {text!r}, not true or false")
    return text.lower() == "true"


def names(key: str, text: str) -> tuple[str, ...]:
    """Reads names with commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
