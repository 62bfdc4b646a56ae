"""The first batch of a target: keys that have one event need no fold.

A full load brings each key once. To fold its events means to bring the whole rows of each key
together and to sort them, only to find one event for each key.
"""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_FEW = 1000  # hashes that go into the query

Outcome = Callable[[DataFrame], DataFrame]


def repeated_keys(events: DataFrame) -> tuple[int, ...] | None:
    """The hashes of keys that have several events; None if they are many. One narrow job."""
    counts = events.groupBy(F.xxhash64("key").alias("key_hash")).count()
    hashes = [row["key_hash"] for row in counts.where("count > 1").limit(_FEW + 1).collect()]
    return tuple(hashes) if len(hashes) <= _FEW else None


def fold_repeated(
    events: DataFrame, repeated: tuple[int, ...], of_single_events: Outcome, fold: Outcome
) -> DataFrame:
    """The outcome of a batch before which nothing is known: `fold` sees the repeated keys only.

    Other keys that have the hash of a repeated one are folded, too.
    """
    if not repeated:
        return of_single_events(events)
    is_repeated = F.xxhash64("key").isin(list(repeated))
    single, several = events.where(~is_repeated), events.where(is_repeated)
    return of_single_events(single).unionByName(fold(several))
