"""Reading the history of SCD2 tables: what is true now, and what was known on a date."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

UNKNOWN = "UNKNOWN"  # the segment of a claim or booking whose policy is not there
ALL = "ALL"  # the segment that adds up all others


def current(versions: DataFrame) -> DataFrame:
    """The open version of every key that still exists, without the history columns."""
    return versions.where("__END_AT IS NULL").drop("__START_AT", "__END_AT")


def as_known(versions: DataFrame, key: str) -> DataFrame:
    """Versions with the days on which each was the latest one known: `known_from`, `known_to`.

    Half-open and without gaps: every date falls into exactly one version of a key. History starts
    with the full load, so the first version also stands for all days before it; `recorded_from`
    keeps its true start. Versions are in the order of the change sequence: where the clock of the
    source went back, a version starts with the one before it. Of several versions recorded on one
    day the last is the day's.
    `exists` says that the source still has the key.
    """
    by_key = Window.partitionBy(key)
    in_order = by_key.orderBy("__START_AT")
    start = F.col("recorded_from")
    return (
        versions.where("__START_AT IS NOT NULL")
        .withColumn("recorded_from", F.max(F.to_date("__START_AT._commit_ts")).over(in_order))
        .withColumns(
            {
                "known_from": F.when(F.row_number().over(in_order) > 1, start).otherwise(
                    F.lit("0001-01-01").cast("date")
                ),
                "known_to": F.coalesce(
                    F.lead(start).over(in_order), F.lit("9999-12-31").cast("date")
                ),
                "exists": F.max(F.col("__END_AT").isNull()).over(by_key),
            }
        )
        .where("known_from < known_to")
        .drop("__START_AT", "__END_AT")
    )
