"""Checks the arguments of the AUTO CDC functions and turns them into flows.

Arguments that exclude each other (behaviour 6 to 12, 156) are errors here, when the flow is
declared and before any data is read. All errors of one call are reported together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from local_shim.declaring.argument_reader import ArgumentReader
from local_shim.errors import DefinitionError, close_match
from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow, SourceLocation
from local_shim.graph.names import Namespace, TableName, parts

_ARGUMENTS = (
    "keys",
    "sequence_by",
    "system_sequence_by",
    "prune_where",
    "ignore_null_updates",
    "ignore_null_updates_column_list",
    "ignore_null_updates_except_column_list",
    "columns_to_update",
    "apply_as_deletes",
    "apply_as_truncates",
    "column_list",
    "except_column_list",
    "stored_as_scd_type",
    "track_history_column_list",
    "track_history_except_column_list",
    "name",
    "flow_name",
    "once",
)


def auto_cdc_flow(
    *, target: Any, source: Any, where: SourceLocation, namespace: Namespace, **arguments: Any
) -> AutoCdcFlow:
    """The flow that `create_auto_cdc_flow` and `apply_changes` declare.

    `arguments` are the other ones as the user passed them; None stands for one that was left out,
    `prune_where` for the argument `where`. Raises DefinitionError, or DefinitionErrors if several
    things are wrong. Starts no Spark job.
    """
    predicate = arguments.get("prune_where")
    call = ArgumentReader("create_auto_cdc_flow", where, {**arguments, "where": predicate})
    _refuse_unknown(call, arguments, _ARGUMENTS)
    flow = AutoCdcFlow(
        name=call.flow_name(_last_part(target)),
        target=_target(call, target, namespace),
        source=call.attempt(lambda: _required(source, "source"), ""),
        keys=_keys(call),
        sequence_by=_sequence(call),
        where=where,
        scd_type=call.scd_type(("1", "2", "BITEMPORAL")),
        sequence_text=_text(arguments.get("sequence_by")),
        system_sequence_by=call.expression("system_sequence_by"),
        prune_where=call.expression("where"),
        ignore_null_updates=call.flag("ignore_null_updates"),
        ignore_null_updates_columns=call.columns("ignore_null_updates_column_list"),
        ignore_null_updates_except=call.columns("ignore_null_updates_except_column_list"),
        columns_to_update=call.column("columns_to_update"),
        apply_as_deletes=call.expression("apply_as_deletes"),
        apply_as_truncates=call.expression("apply_as_truncates"),
        columns=call.columns("column_list"),
        except_columns=call.columns("except_column_list"),
        track_history=call.columns("track_history_column_list"),
        track_history_except=call.columns("track_history_except_column_list"),
        once=call.flag("once"),
    )
    _combinations(call, flow)
    call.finish()
    return flow


def snapshot_flow(
    *,
    target: Any,
    keys: Any,
    where: SourceLocation,
    namespace: Namespace,
    source: Any = None,
    snapshot_and_version: Any = None,
    stored_as_scd_type: Any = None,
    track_history_column_list: Any = None,
    track_history_except_column_list: Any = None,
    once: Any = None,
) -> SnapshotFlow:
    """The flow that `create_auto_cdc_from_snapshot_flow` declares; errors as `auto_cdc_flow`."""
    arguments = {
        "keys": keys,
        "stored_as_scd_type": stored_as_scd_type,
        "track_history_column_list": track_history_column_list,
        "track_history_except_column_list": track_history_except_column_list,
        "once": once,
    }
    call = ArgumentReader("create_auto_cdc_from_snapshot_flow", where, arguments)
    flow = SnapshotFlow(
        name=_last_part(target),
        target=_target(call, target, namespace),
        source=_snapshot_source(call, source, snapshot_and_version),
        keys=_keys(call),
        where=where,
        scd_type=call.scd_type(("1", "2")),
        track_history=call.columns("track_history_column_list"),
        track_history_except=call.columns("track_history_except_column_list"),
        once=call.flag("once"),
    )
    _history(call, flow)
    call.finish()
    return flow


def _target(call: ArgumentReader, target: object, namespace: Namespace) -> TableName:
    return call.attempt(
        lambda: namespace.qualify(_required(target, "target")), namespace.qualify("unknown")
    )


def _snapshot_source(
    call: ArgumentReader, source: Any, function: Any
) -> str | Callable[[Any], Any]:
    if source is not None and function is not None and source is not function:
        call.refuse(
            "CANNOT_SET_TOGETHER",
            "source and snapshot_and_version are two names of one argument.",
            "give one of them",
        )
    snapshots = source if source is not None else function
    if callable(snapshots) or (isinstance(snapshots, str) and snapshots.strip()):
        return snapshots  # type: ignore[no-any-return]
    call.refuse(
        "AUTOCDC_MISSING_SOURCE",
        f"source must be a dataset's name or a function of the last version, not {snapshots!r}.",
        "a function returns (DataFrame, version), or None when there is no newer snapshot",
    )
    return ""


def _combinations(call: ArgumentReader, flow: AutoCdcFlow) -> None:
    call.exclusive(
        "column_list",
        "except_column_list",
        flow.columns,
        flow.except_columns,
        "AUTOCDC_BOTH_COLUMN_LIST_AND_EXCEPT_COLUMN_LIST",
    )
    _history(call, flow)
    if flow.apply_as_truncates is not None and flow.scd_type is not ScdType.ONE:
        call.refuse(
            "AUTOCDC_TRUNCATE_REQUIRES_SCD1",
            "apply_as_truncates works with stored_as_scd_type=1 only; a truncate would end "
            "every row's history.",
            "leave apply_as_truncates out, or store as SCD type 1",
        )
    call.exclusive(
        "ignore_null_updates_column_list",
        "ignore_null_updates_except_column_list",
        flow.ignore_null_updates_columns,
        flow.ignore_null_updates_except,
        "AUTOCDC_BOTH_IGNORE_NULL_UPDATES_LISTS",
    )
    ignoring = {
        "ignore_null_updates": flow.ignore_null_updates,
        "ignore_null_updates_column_list": flow.ignore_null_updates_columns,
        "ignore_null_updates_except_column_list": flow.ignore_null_updates_except,
    }
    for argument, value in ignoring.items():
        call.exclusive(
            "columns_to_update",
            argument,
            flow.columns_to_update,
            value,
            "AUTOCDC_COLUMNS_TO_UPDATE_WITH_IGNORE_NULL_UPDATES",
        )
    _bitemporal(call, flow)


def _bitemporal(call: ArgumentReader, flow: AutoCdcFlow) -> None:
    bitemporal = flow.scd_type is ScdType.BITEMPORAL
    if bitemporal and flow.system_sequence_by is None:
        call.refuse(
            "AUTOCDC_BITEMPORAL_REQUIRES_SYSTEM_SEQUENCE_BY",
            'stored_as_scd_type="bitemporal" needs system_sequence_by.',
            "name the column that says when a change became known",
        )
    if not bitemporal and flow.system_sequence_by is not None:
        call.refuse(
            "AUTOCDC_SYSTEM_SEQUENCE_BY_REQUIRES_BITEMPORAL",
            'system_sequence_by works with stored_as_scd_type="bitemporal" only.',
            "leave it out, or store as bitemporal",
        )
    if bitemporal and flow.columns_to_update:
        call.refuse(
            "AUTOCDC_BITEMPORAL_WITH_COLUMNS_TO_UPDATE",
            "columns_to_update does not work with bitemporal storage.",
            "leave it out, or use ignore_null_updates",
        )


def _history(call: ArgumentReader, flow: AutoCdcFlow | SnapshotFlow) -> None:
    call.exclusive(
        "track_history_column_list",
        "track_history_except_column_list",
        flow.track_history,
        flow.track_history_except,
        "AUTOCDC_BOTH_TRACK_HISTORY_COLUMN_LIST_AND_EXCEPT_COLUMN_LIST",
    )
    if (flow.track_history or flow.track_history_except) and flow.scd_type is ScdType.ONE:
        call.refuse(
            "AUTOCDC_TRACK_HISTORY_REQUIRES_SCD2",
            "track_history_* lists need stored_as_scd_type=2; SCD type 1 keeps no history.",
            "add stored_as_scd_type=2, or leave the list out",
        )


def _refuse_unknown(
    call: ArgumentReader, arguments: dict[str, Any], allowed: Sequence[str]
) -> None:
    for name in sorted(set(arguments) - set(allowed)):
        call.refuse(
            "UNKNOWN_ARGUMENT", f"there is no argument '{name}'.", close_match(name, allowed)
        )


def _keys(call: ArgumentReader) -> tuple[str, ...]:
    keys, names = call.arguments.get("keys"), call.columns("keys")
    if keys is None or (isinstance(keys, Sequence) and len(keys) == 0):
        call.refuse(
            "AUTOCDC_EMPTY_KEYS",
            "keys must name at least one column.",
            'keys=["id"] names the columns that identify a row',
        )
    return names


def _sequence(call: ArgumentReader) -> Column:
    column = call.expression("sequence_by")
    if call.arguments.get("sequence_by") is None:
        call.refuse(
            "AUTOCDC_MISSING_SEQUENCE_BY",
            "sequence_by is missing.",
            'name the column that orders the changes of a key, as sequence_by="changed_at"',
        )
    return F.lit(0) if column is None else column


def _required(value: object, argument: str) -> str:
    if isinstance(value, str) and value.strip():
        return value
    condition = f"AUTOCDC_MISSING_{argument.upper()}"
    kind = "missing" if value is None or value == "" else f"not {type(value).__name__}"
    raise DefinitionError(
        condition,
        f"{argument} must be a dataset's name ({kind}).",
        hint=f'write {argument}="name"; a DataFrame gets a name by @dlt.view',
    )


def _last_part(target: object) -> str:
    try:
        return parts(target)[-1] if isinstance(target, str) else ""
    except DefinitionError:
        return ""


def _text(sequence_by: object) -> str:
    """The sequence as text, the same for "a" and col("a"); the next update compares it."""
    if isinstance(sequence_by, Column):
        return str(sequence_by).removeprefix("Column<'").removesuffix("'>")
    return str(sequence_by).strip()
