"""The commands that read a storage from outside: events, sql, export."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from local_shim.cli.options import Json, option, say
from local_shim.cli.storages import open_storage
from local_shim.errors import UsageError, close_match
from local_shim.events.event import EventType, Level
from local_shim.events.journal import events as events_of

AtStorage = Annotated[Path | None, option("DIR", "Default: the only one in .dlt-local.")]
Name = str | None


def events(
    *,
    update: Annotated[
        Name, option("ID", "Id of an update, or its beginning (default: the newest).")
    ] = None,
    type: Annotated[Name, option("T", "Only this type, such as flow_progress.")] = None,
    level: Annotated[Name, option("L", "Only INFO, WARN, ERROR or METRICS.")] = None,
    pipeline: Annotated[Name, option("KEY", "Only updates of this pipeline.")] = None,
    json: Json = False,
    storage: AtStorage = None,
) -> None:
    """Show what happened in an update."""
    wanted_type = _choice("type", type and type.lower(), [each.value for each in EventType])
    wanted_level = _choice("level", level and level.upper(), [each.value for each in Level])
    for record in events_of(
        open_storage(storage, pipeline, update), update, wanted_type, wanted_level
    ):
        if json:
            say(json_text.dumps(record, ensure_ascii=False))
        else:
            say(
                f"{record['timestamp']}  {record['level']:<7} {record['event_type']:<20} "
                f"{record['message']}"
            )


def _choice(option: str, word: str | None, allowed: Sequence[str]) -> str | None:
    if word and word not in allowed:
        raise UsageError(
            "CHOICE_UNKNOWN",
            f"there is no {option} '{word}' of events.",
            hint=close_match(word, allowed),
        )
    return word


def sql(
    query: Annotated[str | None, option(help="One statement that reads.")] = None,
    /,
    *,
    file: Annotated[Path | None, option("FILE", "A file that holds it.", "--file", "-f")] = None,
    format: Literal["table", "csv", "json"] = "table",
    storage: AtStorage = None,
) -> None:
    """Answer a query over the tables of a storage; names are those of the pipelines."""
    from local_shim.query.sql import answer

    if file and query:
        raise UsageError("OPTION_CONFLICT", "give a query or a file, not both.")
    if file and not file.is_file():
        raise UsageError("FILE_NOT_FOUND", f"there is no file '{file}'.")
    text = file.read_text(encoding="utf-8") if file else query
    if not text or not text.strip():
        raise UsageError("NO_QUERY", "give a query, or a file with -f.")
    say(answer(open_storage(storage), text, format))


def export(
    *tables: Annotated[str, option("", "Tables (default: all published ones).")],
    to: Annotated[Path, option("DIR", "Folder of the files.")],
    format: Literal["jsonl", "csv", "parquet"] = "jsonl",
    storage: AtStorage = None,
) -> None:
    """Write tables to files, one file a table."""
    from local_shim.query.export import export as export_tables

    if to.exists() and not to.is_dir():
        raise UsageError("EXPORT_NOT_A_FOLDER", f"--to takes a folder; '{to}' is a file.")
    for path in export_tables(open_storage(storage), tables, to, format):
        say(str(path))
