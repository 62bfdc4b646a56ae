"""Checks the arguments of the AUTO CDC calls and turns them into flows.

Every row of reference 1.4 that concerns AUTO CDC is an error here, at definition, before any
data is looked at; all faults of one call are told together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from local_shim.errors import DefinitionError, DefinitionErrors, ShimError, close_match
from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow, SourceLocation
from local_shim.graph.names import Namespace, parts

_SCD_TYPES = {"1": ScdType.ONE, "2": ScdType.TWO, "BITEMPORAL": ScdType.BITEMPORAL}
OPTIONAL = (
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
_NAME = re.compile(r"(?:\w+|`[^`]+`)(?:\.(?:\w+|`[^`]+`))*")
_T = TypeVar("_T")


@dataclass
class _Call:
    """One call in the user's file, and what is wrong with it so far."""

    function: str
    where: SourceLocation
    errors: list[ShimError] = field(default_factory=list)

    def refuse(self, condition: str, message: str, hint: str = "") -> None:
        text = f"{self.function}: {message}"
        self.errors.append(DefinitionError(condition, text, where=self.where, hint=hint))

    def attempt(self, make: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return make()
        except ShimError as error:
            self.refuse(error.condition, error.message, error.hint)
            return otherwise

    def finish(self) -> None:
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise DefinitionErrors(self.errors)

    def columns(self, argument: str, given: object) -> tuple[str, ...]:
        """Plain column names out of texts and Columns; an empty list is no list."""
        if given is None:
            return ()
        if isinstance(given, str | Column) or not isinstance(given, Sequence):
            self.refuse(
                "INVALID_ARGUMENT_TYPE",
                f"{argument} must be a list of column names, not {type(given).__name__}.",
                f'write {argument}=["a", "b"]',
            )
            return ()
        names = [self.column(argument, one) for one in given]
        found = [name for name in names if name]
        for name in sorted({name for name in found if _folded(found).count(name.lower()) > 1}):
            self.refuse("DUPLICATE_COLUMN", f"{argument} names '{name}' twice.", "name it once")
        return tuple(found)

    def column(self, argument: str, given: object) -> str:
        """The name in one text or Column; qualified names and expressions are refused."""
        found = _name_parts(given)
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            self.refuse(
                "AUTOCDC_MULTIPART_COLUMN_IDENTIFIER",
                f"{argument} must hold unqualified column names, not '{'.'.join(found)}'.",
                f"write '{found[-1]}', or backquote a name that has a dot in it",
            )
        else:
            self.refuse(
                "INVALID_ARGUMENT_TYPE",
                f"{argument} takes column names as text or col(), not {given!r}.",
                'write "a" or col("a")',
            )
        return ""

    def expression(self, argument: str, given: object) -> Column | None:
        """A Column out of SQL text or a Column; None stays None."""
        if given is None or isinstance(given, Column):
            return given
        if isinstance(given, str) and given.strip():
            self._parse(argument, given)
            return F.expr(given)
        self.refuse(
            "INVALID_ARGUMENT_TYPE",
            f"{argument} takes SQL text or a Column, not {given!r}.",
            f"write {argument}=\"op = 'D'\" or {argument}=expr(\"op = 'D'\")",
        )
        return None

    def _parse(self, argument: str, text: str) -> None:
        session = SparkSession.getActiveSession()
        if session is None:
            return
        try:
            session._jsparkSession.sessionState().sqlParser().parseExpression(text)
        except Exception as error:  # py4j and pyspark wrap the parser's error in several ways
            reason = str(error).strip().split("\n")[0]
            self.refuse("PARSE_SYNTAX_ERROR", f"{argument} is not valid SQL: {text!r} ({reason})")

    def flag(self, argument: str, given: object) -> bool:
        if given is None or isinstance(given, bool):
            return bool(given)
        self.refuse("INVALID_ARGUMENT_TYPE", f"{argument} must be True or False, not {given!r}.")
        return False

    def scd_type(self, given: object, allowed: Sequence[str]) -> ScdType:
        text = "1" if given is None else str(given).upper()
        if text in allowed and not isinstance(given, bool | float):
            return _SCD_TYPES[text]
        words = ", ".join(f'{word}, "{word}"' for word in allowed if word.isdigit())
        more = ', "bitemporal"' if "BITEMPORAL" in allowed else ""
        self.refuse(
            "INVALID_SCD_TYPE",
            f"stored_as_scd_type={given!r} is not a storage type.",
            f"allowed: {words}{more}",
        )
        return ScdType.ONE

    def exclusive(self, first: str, second: str, a: object, b: object, condition: str) -> None:
        if a and b:
            self.refuse(condition, f"{first} and {second} exclude each other.", "give one of them")

    def names(self, name: object, flow_name: object, default: str) -> str:
        if name is not None and flow_name is not None and name != flow_name:
            self.refuse(
                "CANNOT_SET_TOGETHER",
                f"name={name!r} and flow_name={flow_name!r} name one flow differently.",
                "give one of them",
            )
        chosen = name if name is not None else flow_name
        return str(chosen) if chosen else default


def auto_cdc_flow(
    *,
    target: Any,
    source: Any,
    keys: Any,
    sequence_by: Any,
    where: SourceLocation,
    namespace: Namespace,
    **others: Any,
) -> AutoCdcFlow:
    """The flow that `create_auto_cdc_flow` and `apply_changes` declare.

    `others` are the optional arguments of reference 1.3 as the user gave them (None for each one
    not given); the pruning hint `where` comes as `prune_where`. Raises DefinitionError, or
    DefinitionErrors if several things are wrong. Starts no Spark job.
    """
    call = _Call("create_auto_cdc_flow", where)
    _known(call, others, OPTIONAL)
    given = {name: others.get(name) for name in OPTIONAL}
    flow = AutoCdcFlow(
        name=call.names(given["name"], given["flow_name"], _last_part(target)),
        target=call.attempt(
            lambda: namespace.qualify(_required(target, "target")), namespace.qualify("unknown")
        ),
        source=call.attempt(lambda: _required(source, "source"), ""),
        keys=_keys(call, keys),
        sequence_by=_sequence(call, sequence_by),
        where=where,
        scd_type=call.scd_type(given["stored_as_scd_type"], ("1", "2", "BITEMPORAL")),
        sequence_text=_text(sequence_by),
        system_sequence_by=call.expression("system_sequence_by", given["system_sequence_by"]),
        prune_where=call.expression("where", given["prune_where"]),
        ignore_null_updates=call.flag("ignore_null_updates", given["ignore_null_updates"]),
        ignore_null_updates_columns=call.columns(
            "ignore_null_updates_column_list", given["ignore_null_updates_column_list"]
        ),
        ignore_null_updates_except=call.columns(
            "ignore_null_updates_except_column_list",
            given["ignore_null_updates_except_column_list"],
        ),
        columns_to_update=_one_column(call, "columns_to_update", given["columns_to_update"]),
        apply_as_deletes=call.expression("apply_as_deletes", given["apply_as_deletes"]),
        apply_as_truncates=call.expression("apply_as_truncates", given["apply_as_truncates"]),
        columns=call.columns("column_list", given["column_list"]),
        except_columns=call.columns("except_column_list", given["except_column_list"]),
        track_history=call.columns("track_history_column_list", given["track_history_column_list"]),
        track_history_except=call.columns(
            "track_history_except_column_list", given["track_history_except_column_list"]
        ),
        once=call.flag("once", given["once"]),
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
    call = _Call("create_auto_cdc_from_snapshot_flow", where)
    flow = SnapshotFlow(
        name=_last_part(target),
        target=call.attempt(
            lambda: namespace.qualify(_required(target, "target")), namespace.qualify("unknown")
        ),
        source=_snapshot_source(call, source, snapshot_and_version),
        keys=_keys(call, keys),
        where=where,
        scd_type=call.scd_type(stored_as_scd_type, ("1", "2")),
        track_history=call.columns("track_history_column_list", track_history_column_list),
        track_history_except=call.columns(
            "track_history_except_column_list", track_history_except_column_list
        ),
        once=call.flag("once", once),
    )
    _history(call, flow)
    call.finish()
    return flow


def _snapshot_source(call: _Call, source: Any, function: Any) -> str | Callable[[Any], Any]:
    if source is not None and function is not None and source is not function:
        call.refuse(
            "CANNOT_SET_TOGETHER",
            "source and snapshot_and_version are two names of one argument.",
            "give one of them",
        )
    given = source if source is not None else function
    if callable(given) or (isinstance(given, str) and given.strip()):
        return given  # type: ignore[no-any-return]
    call.refuse(
        "AUTOCDC_MISSING_SOURCE",
        f"source must be a dataset's name or a function of the last version, not {given!r}.",
        "a function returns (DataFrame, version), or None when there is no newer snapshot",
    )
    return ""


def _combinations(call: _Call, flow: AutoCdcFlow) -> None:
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


def _bitemporal(call: _Call, flow: AutoCdcFlow) -> None:
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


def _history(call: _Call, flow: AutoCdcFlow | SnapshotFlow) -> None:
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


def _known(call: _Call, others: dict[str, Any], allowed: Sequence[str]) -> None:
    for name in sorted(set(others) - set(allowed)):
        call.refuse(
            "UNKNOWN_ARGUMENT", f"there is no argument '{name}'.", close_match(name, allowed)
        )


def _keys(call: _Call, given: object) -> tuple[str, ...]:
    found = call.columns("keys", given)
    if given is None or (isinstance(given, Sequence) and len(given) == 0):
        call.refuse(
            "AUTOCDC_EMPTY_KEYS",
            "keys must name at least one column.",
            'keys=["id"] names the columns that identify a row',
        )
    return found


def _sequence(call: _Call, given: object) -> Column:
    column = call.expression("sequence_by", given)
    if given is None:
        call.refuse(
            "AUTOCDC_MISSING_SEQUENCE_BY",
            "sequence_by is missing.",
            'name the column that orders the changes of a key, as sequence_by="changed_at"',
        )
    return F.lit(0) if column is None else column


def _one_column(call: _Call, argument: str, given: object) -> str | None:
    return None if given is None else call.column(argument, given) or None


def _required(given: object, argument: str) -> str:
    if isinstance(given, str) and given.strip():
        return given
    condition = f"AUTOCDC_MISSING_{argument.upper()}"
    kind = "missing" if given is None or given == "" else f"not {type(given).__name__}"
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


def _name_parts(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        plain = given.strip()
        if not plain:
            return ()
        try:
            return parts(plain) if "." in plain or "`" in plain else (plain,)
        except DefinitionError:
            return ()
    if isinstance(given, Column):
        return _column_parts(given)
    return ()


def _column_parts(column: Column) -> tuple[str, ...]:
    """The parts of a plain column reference; () for any other expression.

    The classic Column keeps the parsed name in its node; its printed form cannot tell
    `a.b` the field from `a.b` the backquoted name.
    """
    node = column._jc.node()  # type: ignore[operator]
    kind = node.getClass().getSimpleName()
    if kind == "UnresolvedAttribute":
        found = node.nameParts()
        return tuple(found.apply(i) for i in range(found.size()))
    if kind == "SqlExpression" and _NAME.fullmatch(node.expression().strip()):  # expr("a")
        return _name_parts(node.expression())
    return ()


def _text(given: object) -> str:
    """How a sequence reads, the same for "a" and col("a"); tells a changed one next time."""
    if isinstance(given, Column):
        return str(given).removeprefix("Column<'").removesuffix("'>")
    return str(given).strip()


def _folded(names: Sequence[str]) -> list[str]:
    return [name.lower() for name in names]
