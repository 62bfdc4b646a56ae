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


def fold_first_load(events: DataFrame, of_first_events: Outcome, fold: Outcome) -> DataFrame:
    """The outcome of a batch before which nothing is known: `fold` sees keys with several events.

    Keys are told apart by their hash: other keys with the hash of a repeated one are folded too.
    If many keys are repeated, all are folded.
    """
    key_hash = F.xxhash64("key")
    repeated = events.groupBy(key_hash.alias("key_hash")).count().where("count > 1")
    hashes = [row["key_hash"] for row in repeated.limit(_FEW + 1).collect()]
    if not hashes:
        return of_first_events(events)
    if len(hashes) > _FEW:
        return fold(events)
    is_repeated = key_hash.isin(hashes)
    single, several = events.where(~is_repeated), events.where(is_repeated)
    return of_first_events(single).unionByName(fold(several))
