"""Reads and changes the configuration of a session.

Read from Spark 4.2.0: `sql/catalyst/…/internal/SQLConf.scala` (settings, without the defaults),
`sql/core/…/execution/datasources/DataSource.scala` (the option that a path is no pattern).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pyspark.sql import SparkSession

# Option of a read: its path is a name, also with the letters of a pattern such as `[1]`.
PLAIN_PATH = {"__globPaths__": "false"}


@contextmanager
def settings(spark: SparkSession, values: Mapping[str, str]) -> Iterator[None]:
    """Sets these configuration values inside the block and restores the previous ones after it."""
    made = _settings_made(spark)  # `spark.conf.get` does not tell a default from a setting
    previous = {key: made.get(key) for key in values}
    for key, value in values.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, old in previous.items():
            spark.conf.unset(key) if old is None else spark.conf.set(key, old)


@contextmanager
def settings_restored(spark: SparkSession) -> Iterator[None]:
    """Takes back all settings that the block makes."""
    before = configuration_of(spark)
    try:
        yield
    finally:
        for key in changed_settings(spark, before):
            spark.conf.set(key, before[key]) if key in before else spark.conf.unset(key)


def changed_settings(spark: SparkSession, before: Mapping[str, str]) -> dict[str, str]:
    """The settings that are new or other than `before`."""
    now = configuration_of(spark)
    return {key: value for key, value in now.items() if before.get(key) != value}


def settings_hash(spark: SparkSession) -> int:
    """A number that changes when a setting is made, quicker to get than all settings."""
    return int(_settings_made(spark).hashCode())


def _settings_made(spark: SparkSession) -> Any:
    """The settings of the session without Spark's defaults, as a map of Java."""
    return spark._jsparkSession.sessionState().conf().settings()


def configuration_of(spark: SparkSession) -> dict[str, str]:
    """All configuration values of the session."""
    return {str(key): str(value) for key, value in spark.conf.getAll.items()}
