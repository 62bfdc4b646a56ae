"""Which AUTO CDC and snapshot flows may share a target (behaviour 39, 162, 163)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from local_shim.cdc.target_table.columns import is_sparse
from local_shim.errors import DefinitionError
from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow


def sharing_errors(
    flows: Sequence[AutoCdcFlow | SnapshotFlow], *, continuous: bool, expectations: bool
) -> Iterator[DefinitionError]:
    """Errors for flows that may not share a target; none for a single flow."""
    snapshots = [flow for flow in flows if isinstance(flow, SnapshotFlow)]
    changes = [flow for flow in flows if isinstance(flow, AutoCdcFlow)]
    if len(flows) < 2:
        return
    first = flows[0]
    for flow in flows[1:]:
        if {k.lower() for k in flow.keys} != {k.lower() for k in first.keys}:
            yield _error(
                "INTEROP_KEYS_MISMATCH", flow, f"has other keys than '{first.name}'", "use the same"
            )
        if flow.scd_type is not first.scd_type:
            yield _error(
                "INTEROP_SCD_TYPE_MISMATCH",
                flow,
                f"stores another SCD type than '{first.name}'",
                "use the same",
            )
    if snapshots:
        yield from _with_snapshots(snapshots, changes, continuous, expectations)


def _with_snapshots(
    snapshots: list[SnapshotFlow],
    changes: list[AutoCdcFlow],
    continuous: bool,
    expectations: bool,
) -> Iterator[DefinitionError]:
    flow = snapshots[0]
    for other in snapshots[1:]:
        yield _error(
            "INTEROP_MULTIPLE_SNAPSHOT_FLOWS", other, "is a second snapshot flow", "keep one"
        )
    if not changes:
        return
    yield from _unsupported(flow, continuous, expectations)
    for change in changes:
        if is_sparse(change):
            yield _error(
                "INTEROP_IGNORE_NULL_UNSUPPORTED",
                change,
                "leaves columns as they are, and a snapshot flow shares its target",
                "leave the ignore_null_updates arguments out",
            )


def _unsupported(
    flow: SnapshotFlow, continuous: bool, expectations: bool
) -> Iterator[DefinitionError]:
    """What a snapshot flow that shares a target with AUTO CDC flows may not have."""
    if flow.scd_type is not ScdType.ONE:
        yield _error(
            "INTEROP_REQUIRES_SCD1",
            flow,
            "shares a target with AUTO CDC flows, which only SCD type 1 allows",
            "give the snapshots a target of their own",
        )
    if continuous:
        yield _error(
            "INTEROP_CONTINUOUS_NOT_SUPPORTED",
            flow,
            "shares a target with AUTO CDC flows, which only triggered mode allows",
            "run the pipeline triggered",
        )
    if expectations:
        yield _error(
            "INTEROP_EXPECTATIONS_NOT_SUPPORTED",
            flow,
            "takes no expectations",
            "put the rules on the source view",
        )


def _error(name: str, flow: AutoCdcFlow | SnapshotFlow, what: str, hint: str) -> DefinitionError:
    return DefinitionError(
        f"APPLY_CHANGES_FROM_SNAPSHOT_ERROR.{name}",
        f"Flow '{flow.name}' into {flow.target} {what}.",
        where=flow.where,
        hint=hint,
    )
