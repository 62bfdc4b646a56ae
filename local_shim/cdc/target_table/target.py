"""The target of AUTO CDC flows: where it lies, and what one batch of changes does to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow
from local_shim.graph.names import TableName
from local_shim.pipeline_spec.pipeline_settings import (
    FAIL_ON_NULL_KEYS,
    NULL_SEQUENCES,
    SHOW_REMAINDERS,
)


@dataclass(frozen=True)
class CdcOptions:
    """How a target treats what the documentation leaves open (behaviour 29, 30, 62).

    [choice] A change without a sequence fails the flow. With `pipelines.cdc.allowNullSequences` it
    sorts below every other on an SCD type 1 target; where history needs a start it still fails.

    [choice] NULL in a key column is matched as a value, with a warning;
    `pipelines.cdc.failOnNullKeys` makes it fail the flow.

    [choice] A late delete inside a closed interval leaves no row for the rest of it. With
    `pipelines.cdc.showLateDeleteRemainders` each delete that follows a delete shows, as measured
    on Databricks, a row with a NULL start, its own sequence as the end, and the last values.

    [choice] Each of the three is read from the table's properties, then from the pipeline's
    configuration.
    """

    null_sequences: bool = False
    strict_keys: bool = False
    remainders: bool = False


def cdc_options(properties: Mapping[str, str], configuration: Mapping[str, str]) -> CdcOptions:
    """The options from the table's properties, or else from the pipeline's configuration."""
    return CdcOptions(
        NULL_SEQUENCES.read(properties, configuration),
        FAIL_ON_NULL_KEYS.read(properties, configuration),
        SHOW_REMAINDERS.read(properties, configuration),
    )


@dataclass(frozen=True)
class CdcTarget:
    """Where a target's rows and its state lie.

    `table` is the folder of the Delta table, `state` that of the state (a new one after each full
    refresh). Tombstones of deleted keys are kept for at least `tombstone_seconds`.
    `spark_conf` wins over the settings that the size of a batch suggests.
    """

    table: Path
    state: Path
    name: TableName
    tombstone_seconds: float = 172_800.0
    options: CdcOptions = CdcOptions()
    spark_conf: Mapping[str, str] = field(default_factory=dict)


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


def shows_remainders(flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget) -> bool:
    """Whether late deletes of this flow may leave rows without a start in this target."""
    history = isinstance(flow, AutoCdcFlow) and flow.scd_type is ScdType.TWO
    return history and target.options.remainders
