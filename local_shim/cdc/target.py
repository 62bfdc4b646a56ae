"""The target of AUTO CDC flows: where it lies, and what one batch of changes does to it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import SparkSession

from local_shim.graph.names import TableName

TOMBSTONE_SECONDS = 172_800.0


@dataclass(frozen=True)
class CdcTarget:
    """Where a target's rows and its memory lie.

    `table` is the path of the Delta table, `state` that of the memory (a new one after each full
    refresh), `tombstone_seconds` how long deletes of keys are remembered.
    """

    table: str
    state: str
    name: TableName
    tombstone_seconds: float = TOMBSTONE_SECONDS


@dataclass(frozen=True)
class Batch:
    """The transaction id of one micro-batch."""

    app: str
    version: int


@dataclass(frozen=True)
class CdcResult:
    """What a batch did: target rows inserted or changed, target rows removed, and warnings."""

    upserted: int
    deleted: int
    warnings: tuple[str, ...]

    def plus(self, other: CdcResult) -> CdcResult:
        """Both together."""
        return CdcResult(
            self.upserted + other.upserted,
            self.deleted + other.deleted,
            self.warnings + other.warnings,
        )


# Flows of one target take turns: each reads what the one before it wrote.
_TURNS: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)


@contextmanager
def turn(target: CdcTarget) -> Iterator[None]:
    """The only writer of this target in this process while the block runs."""
    with _TURNS[target.table]:
        yield


@contextmanager
def settings(spark: SparkSession, values: dict[str, str]) -> Iterator[None]:
    """These configuration values while the block runs."""
    before = {key: spark.conf.get(key, None) for key in values}
    for key, value in values.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, old in before.items():
            if old is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, old)


def transaction(batch: Batch) -> dict[str, str]:
    """Makes Delta skip a write that this micro-batch has already committed."""
    return {
        "spark.databricks.delta.write.txnAppId": batch.app,
        "spark.databricks.delta.write.txnVersion": str(batch.version),
    }
