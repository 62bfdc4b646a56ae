"""Reads the bodies of flows: INSERT, AUTO CDC and AUTO CDC FROM SNAPSHOT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_shim.sql_sources.grammar.definitions import AutoCdc, FlowBody, Insert, SnapshotCdc
from local_shim.sql_sources.grammar.parse_table import column_list
from local_shim.sql_sources.grammar.reader import Reader

# The clauses of AUTO CDC in the order in which they stand.
_CDC_CLAUSES = (
    ("KEYS",),
    ("IGNORE", "NULL", "UPDATES"),
    ("APPLY", "AS", "DELETE", "WHEN"),
    ("APPLY", "AS", "TRUNCATE", "WHEN"),
    ("SEQUENCE", "BY"),
    ("SYSTEM", "SEQUENCE", "BY"),
    ("COLUMNS",),
    ("STORED", "AS"),
    ("TRACK", "HISTORY", "ON"),
    ("COLUMNS", "TO", "UPDATE"),
)
_SNAPSHOT_CLAUSES = (("WITH", "VERSION"), ("KEYS",), ("STORED", "AS"), ("TRACK", "HISTORY", "ON"))


def flow_clause(reader: Reader) -> FlowBody:
    """What stands behind FLOW in CREATE STREAMING TABLE; it names no target."""
    if reader.accept("INSERT"):
        once = reader.accept("ONCE")
        reader.expect("BY", "NAME")
        return Insert(reader.query(), once)
    if reader.at("REPLACE"):
        return _replacing(reader, "BY", "NAME")
    reader.expect("AUTO", "CDC")
    return change_data(reader, once=reader.accept("ONCE"))


def insert(reader: Reader, once: bool) -> Insert:
    """What stands behind INSERT INTO target."""
    by_name = reader.accept("BY", "NAME")
    if not reader.at("REPLACE"):
        return Insert(reader.query(), once)
    if not by_name or once:
        raise reader.error(
            "REPLACE needs BY NAME and excludes ONCE.", "write INSERT INTO t BY NAME REPLACE …"
        )
    return _replacing(reader)


def _replacing(reader: Reader, *before_query: str) -> Insert:
    reader.expect("REPLACE")
    if reader.accept("WHERE"):
        query = (before_query,) if before_query else (("SELECT",), ("WITH",), ("FROM",))
        predicate = reader.until(query)
        reader.expect(*before_query)
        return Insert(reader.query(), replace_where=predicate)
    reader.expect("USING")
    keys = tuple(reader.columns())
    reader.expect("SEQUENCE", "BY")
    sequence = reader.until((before_query,) if before_query else (("SELECT",), ("WITH",)))
    reader.expect(*before_query)
    return Insert(reader.query(), replace_using=keys, sequence_by=sequence)


def change_data(reader: Reader, *, once: bool) -> AutoCdc | SnapshotCdc:
    """What stands behind AUTO CDC INTO target, from FROM on."""
    reader.expect("FROM")
    if reader.accept("SNAPSHOT"):
        return _snapshot(reader, once)
    source = _stream_name(reader)
    arguments = {"source": source, "once": once, **_change_clauses(reader)}
    for argument, clause in (("keys", "KEYS"), ("sequence_by", "SEQUENCE BY")):
        if argument not in arguments:
            raise reader.error(f"AUTO CDC needs {clause}.")
    return AutoCdc(arguments)


def _stream_name(reader: Reader) -> str:
    """`STREAM(t)`, `STREAM t` or `t`; a subquery is refused."""
    if reader.accept("STREAM"):
        inner = reader.parenthesized() if reader.at("(") else reader
        if inner.at("SELECT") or inner.at("("):
            raise inner.error("FROM STREAM takes the name of a table or view.", "declare a view")
        name = inner.name()
        if inner is not reader:
            inner.end()
        return name
    return reader.name()


def _change_clauses(reader: Reader) -> Mapping[str, Any]:
    arguments: dict[str, Any] = {}
    for clause in _CDC_CLAUSES:
        longer = clause == ("COLUMNS",) and reader.at("COLUMNS", "TO", "UPDATE")
        if not longer and reader.accept(*clause):
            arguments |= _change_clause(reader, clause)
    _end(reader, _CDC_CLAUSES)
    return arguments


def _change_clause(reader: Reader, clause: tuple[str, ...]) -> dict[str, Any]:
    name = " ".join(clause)
    if name == "KEYS":
        return {"keys": reader.columns()}
    if name == "IGNORE NULL UPDATES":
        return _ignore_nulls(reader)
    if name in _CONDITIONS:
        return {_CONDITIONS[name]: str(reader.until(_CDC_CLAUSES))}
    if name == "STORED AS":
        return {"stored_as_scd_type": _scd_type(reader)}
    if name == "COLUMNS TO UPDATE":
        reader.accept("ON")
        return {"columns_to_update": reader.column()}
    return _listed(reader, "column_list" if name == "COLUMNS" else "track_history_column_list")


_CONDITIONS = {
    "APPLY AS DELETE WHEN": "apply_as_deletes",
    "APPLY AS TRUNCATE WHEN": "apply_as_truncates",
    "SEQUENCE BY": "sequence_by",
    "SYSTEM SEQUENCE BY": "system_sequence_by",
}


def _ignore_nulls(reader: Reader) -> dict[str, Any]:
    if not reader.accept("ON"):
        return {"ignore_null_updates": True}
    return _listed(reader, "ignore_null_updates_column_list")


def _listed(reader: Reader, argument: str) -> dict[str, Any]:
    columns, excluded = column_list(reader)
    if excluded:
        argument = argument.replace("column_list", "except_column_list")
    return {argument: columns}


def _scd_type(reader: Reader) -> str:
    if reader.accept("BITEMPORAL"):
        return "BITEMPORAL"
    reader.expect("SCD", "TYPE")
    return reader.word()


def _snapshot(reader: Reader, once: bool) -> SnapshotCdc:
    snapshot = reader.parenthesized().rest() if reader.at("(") else reader.name()
    version = reader.parenthesized().rest() if reader.accept("WITH", "VERSION") else None
    arguments: dict[str, Any] = {"once": once}
    for clause in _SNAPSHOT_CLAUSES[1:]:
        if reader.accept(*clause):
            arguments |= _change_clause(reader, clause)
    _end(reader, _SNAPSHOT_CLAUSES)
    if "keys" not in arguments:
        raise reader.error("AUTO CDC FROM SNAPSHOT needs KEYS.")
    return SnapshotCdc(snapshot, version, arguments)


def _end(reader: Reader, clauses: tuple[tuple[str, ...], ...]) -> None:
    """Nothing may be left; a clause that is left stands in the wrong place (behaviour 143)."""
    misplaced = next((clause for clause in clauses if reader.at(*clause)), None)
    if misplaced:
        order = ", ".join(" ".join(clause) for clause in clauses)
        raise reader.error(
            f"{' '.join(misplaced)} stands in the wrong place, or twice.", f"the order is {order}"
        )
    reader.end([clause[0] for clause in clauses])
