"""All counts of a batch that decisions, errors and warnings need, in one Spark job."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import COUNTS, DELETE
from local_shim.cdc.fold.outcome import DROP, PUT
from local_shim.errors import FlowError
from local_shim.graph.elements import AutoCdcFlow
from local_shim.pipeline_spec.pipeline_settings import FAIL_ON_NULL_KEYS


@dataclass(frozen=True)
class BatchCounts:
    """Counts of one batch: of its change rows, then of what becomes of its keys."""

    null_sequences: int
    null_keys: int
    violations: int
    events: int
    upserted: int
    deleted: int
    touches: int
    contested: int
    ties: int
    state_rows: int
    tombstones: int


def count_batch(outcome: DataFrame) -> tuple[DataFrame, BatchCounts]:
    """The outcome as it is, and its counts, in one job."""
    row = outcome.agg(*_aggregates(outcome)).first()
    return outcome, BatchCounts(**row.asDict()) if row else BatchCounts(*(0,) * 11)


def checkpointed_with_counts(outcome: DataFrame) -> tuple[DataFrame, BatchCounts]:
    """The outcome as a local checkpoint, and its counts, in one job that makes both."""
    observed = Observation()
    checkpointed = outcome.observe(observed, *_aggregates(outcome)).localCheckpoint()
    return checkpointed, BatchCounts(**observed.get)


def refuse_unusable_rows(
    counts: BatchCounts, flow: AutoCdcFlow, *, strict_keys: bool = False
) -> None:
    """FlowError for change rows that cannot be applied; nothing was written."""
    if strict_keys and counts.null_keys:
        raise FlowError(
            "AUTOCDC_MICROBATCH_VALIDATION.NULL_KEY",
            f"Flow '{flow.name}': {counts.null_keys} change rows have NULL in a key column "
            f"({', '.join(flow.keys)}), and {FAIL_ON_NULL_KEYS.key} is set; "
            "nothing of this batch was written.",
            where=flow.where,
            hint=f"filter them in a view, or set {FAIL_ON_NULL_KEYS.key} to false to match NULL",
        )
    if counts.null_sequences:
        raise FlowError(
            "AUTOCDC_MICROBATCH_VALIDATION.NULL_SEQUENCE",
            f"Flow '{flow.name}': {counts.null_sequences} change rows have no sequence "
            f"({flow.sequence_text or 'sequence_by'} is NULL). Their place among the changes of "
            "their keys is unknown; nothing of this batch was written.",
            where=flow.where,
            hint="filter them in a view, or give them a value with coalesce(…)",
        )
    if counts.violations:
        raise FlowError(
            "AUTOCDC_MICROBATCH_VALIDATION.WHERE_VIOLATED",
            f"Flow '{flow.name}': {counts.violations} change rows do not satisfy the flow's "
            "`where`, which says where to look and filters nothing.",
            where=flow.where,
            hint="filter the rows in a view if they are not wanted, or widen `where`",
        )


def warnings_of(counts: BatchCounts, flow: AutoCdcFlow) -> tuple[str, ...]:
    """What the user should know although the batch succeeded."""
    warnings = []
    if counts.null_keys:
        warnings.append(
            f"{counts.null_keys} change rows of flow '{flow.name}' have NULL in a key column "
            f"({', '.join(flow.keys)}); NULL was matched as a value"
        )
    if counts.ties:
        warnings.append(
            f"{counts.ties} times flow '{flow.name}' had different changes of one key with the "
            "same sequence; deletes won, then the greatest row as JSON"
        )
    return tuple(warnings)


def _aggregates(outcome: DataFrame) -> list[Column]:
    op = F.col("op")
    deletes = F.col("kind") == DELETE
    return [
        *(F.coalesce(F.sum(name), F.lit(0)).cast("int").alias(name) for name in COUNTS),
        _count(op == PUT).alias("upserted"),
        _count(op == DROP).alias("deleted"),
        _count(op.isNotNull() & F.col("touches")).alias("touches"),
        _count(F.col("contested")).alias("contested"),
        F.coalesce(F.sum("ties"), F.lit(0)).cast("int").alias("ties"),
        _count(F.col("for_state")).alias("state_rows"),
        _count(F.col("for_state") & deletes).alias("tombstones"),
    ]


def _count(condition: Column) -> Column:
    return F.count_if(F.coalesce(condition, F.lit(False)))
