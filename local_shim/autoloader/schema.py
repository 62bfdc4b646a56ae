"""The columns of a stream: declared, stored, hinted or inferred from its files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyspark.sql.types import StringType, StructField, StructType

from local_shim.autoloader import type_widening
from local_shim.autoloader.hints import hinted, hints_of
from local_shim.autoloader.nested_types import evolve
from local_shim.autoloader.options.parse import RESCUED, CloudFilesOptions
from local_shim.autoloader.rescue import FILE_PATH
from local_shim.autoloader.schema_store import SchemaStore
from local_shim.errors import DefinitionError, FlowError, SchemaChanged
from local_shim.sql_text import literal

NEW_FIELDS = "UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_FILE"
_HEADER_DIFFERS = re.compile(
    r"CSV header does not conform to the schema|Number of column in CSV header is not equal"
)
_STRING = StringType()
_FAIL_HINT = "add the columns to the schema or the hints, or take the file away"


@dataclass(frozen=True)
class StreamColumns:
    """The columns of a stream.

    `columns` are what the stream gives, in order; `data` those of them that come from the
    records themselves, by name. `rescued` and `corrupt` name the columns for what did not fit.
    """

    columns: StructType
    data: StructType
    partitions: tuple[str, ...] = ()
    rescued: str | None = None
    corrupt: str | None = None


def columns_of_declared(
    schema: StructType, options: CloudFilesOptions, partitions: Sequence[StructField]
) -> StreamColumns:
    """The columns of a stream whose schema the user wrote."""
    if options.evolution in ("addNewColumns", type_widening.MODE):
        raise DefinitionError(
            "CF_ADD_NEW_NOT_SUPPORTED",
            f"schemaEvolutionMode {options.evolution} cannot go with a schema of your own.",
            hint="give the schema through cloudFiles.schemaHints instead",
        )
    if options.schema_hints:
        schema = hinted(schema, hints_of(options))
    return _stream_columns(schema, options, partitions, options.rescued_column)


def columns_of_inferred(
    schema: StructType, options: CloudFilesOptions, partitions: Sequence[StructField]
) -> StreamColumns:
    """The columns of a stream whose schema was inferred, now or in an earlier update."""
    # Mode `none` neither evolves nor rescues, unless a column for it is named.
    rescued = options.rescued_column or (None if options.evolution == "none" else RESCUED)
    return _stream_columns(hinted(schema, hints_of(options)), options, partitions, rescued)


def _stream_columns(
    schema: StructType,
    options: CloudFilesOptions,
    partitions: Sequence[StructField],
    rescued: str | None,
) -> StreamColumns:
    names = {field.name.lower(): field.name for field in schema.fields}
    columns = [*schema.fields, *(part for part in partitions if part.name.lower() not in names)]
    if rescued and rescued.lower() not in names:
        columns.append(StructField(rescued, _STRING))
    rescued = rescued and names.get(rescued.lower(), rescued)
    # A column of this name, given or hinted, takes broken records; there is none by itself.
    corrupt = names.get(options.get("columnnameofcorruptrecord", "_corrupt_record").lower())
    parts = {part.name.lower() for part in partitions}
    of_folders = tuple(field.name for field in columns if field.name.lower() in parts)
    data = [field for field in columns if field.name not in (*of_folders, rescued, corrupt)]
    return StreamColumns(StructType(columns), StructType(data), of_folders, rescued, corrupt)


def inferred_or_stored_schema(
    inferred: StructType, options: CloudFilesOptions, store: SchemaStore, *, remember: bool
) -> StructType:
    """The schema of the data columns, evolved by what the unread files hold.

    Raises SchemaChanged after storing an evolved schema, FlowError if new columns are forbidden
    and DefinitionError if there is nothing to infer from.
    """
    stored = store.latest()
    if stored is None:
        return _first_schema(inferred, options, store, remember)
    evolved, new = _evolved(stored, inferred, options)
    mode = options.evolution or "addNewColumns"
    if not new or mode in ("none", "rescue"):
        return stored
    if mode == "failOnNewColumns":
        if not remember:
            return stored
        raise FlowError(NEW_FIELDS, new_fields_text(new, retry=False), hint=_FAIL_HINT)
    if remember:
        store.save(evolved)
        raise SchemaChanged(NEW_FIELDS, new_fields_text(new, retry=True))
    return evolved


def _evolved(
    stored: StructType, inferred: StructType, options: CloudFilesOptions
) -> tuple[StructType, list[str]]:
    """The stored schema with the new fields and wider types, and the paths of both.

    A field that a hint already gives is not new.

    [choice] The type of a hint for a whole column does not grow: what it lacks is rescued.
    """
    hints = hints_of(options)
    whole = {hint.path[0].lower() for hint in hints if len(hint.path) == 1}
    rest = StructType([field for field in inferred.fields if field.name.lower() not in whole])
    evolved, new = evolve(stored, rest)
    _, missing = evolve(hinted(stored, hints), hinted(inferred, hints))
    new = [path for path in new if path in missing]
    if options.evolution != type_widening.MODE:
        return evolved, new
    evolved, wider = type_widening.with_wider_types(evolved, rest)
    return evolved, [*new, *wider]


def _first_schema(
    inferred: StructType, options: CloudFilesOptions, store: SchemaStore, remember: bool
) -> StructType:
    if not inferred.fields and not options.schema_hints:
        raise DefinitionError(
            "CF_EMPTY_DIR_FOR_SCHEMA_INFERENCE",
            "there is no file with a record to learn the schema from.",
            hint="land a file, or give a schema or cloudFiles.schemaHints",
        )
    if remember and inferred.fields:
        store.save(inferred)
    return inferred


def new_fields_text(paths: Iterable[str], *, retry: bool) -> str:
    """The sentence that names unknown fields, as Databricks' event log has them."""
    return (
        f"Encountered unknown fields during parsing: [{','.join(paths)}], "
        f"which can be fixed by an automatic retry: {str(retry).lower()}."
    )


def unknown_file_error_sql(kind: str) -> str:
    """SQL text, of type `kind`, of the error for a file that planning has not looked at."""
    text = f"[{NEW_FIELDS}] A file came whose fields were not known when the stream started: "
    tail = ", which can be fixed by an automatic retry: true."
    return f"cast(raise_error(concat({literal(text)}, {FILE_PATH}, {literal(tail)})) AS {kind})"


def schema_change_in(error: BaseException) -> SchemaChanged | None:
    """The SchemaChanged that a failed query's error stands for, None if it stands for none.

    The cause may lie deep, so the JVM's trace is searched as well; Spark's own comparison of a
    file's header with the stream's has words of its own.
    """
    message = f"{error}\n{getattr(error, '_stackTrace', '')}"
    match = re.search(rf"\[{re.escape(NEW_FIELDS)}\] ([^\n]*?retry: true\.)", message)
    if match:
        return SchemaChanged(NEW_FIELDS, match.group(1))
    if not _HEADER_DIFFERS.search(message):
        return None
    file = re.search(r"CSV file: (\S+)", message)
    name = f" of {file.group(1)}" if file else ""
    text = f"The header{name} is not the one the stream started with"
    return SchemaChanged(NEW_FIELDS, f"{text}, which can be fixed by an automatic retry: true.")
