"""The files of AWS DMS: their folders, their format, and the meaning of their columns.

The task's endpoint settings are part of the contract (resources of the replication, not of this
pipeline): CSV with a header, `Op` also on full load, commit time in `_dms_commit_ts` (UTC), null
as NULL_TEXT (or `insurance.dms_null_value`), the change sequence and stream position as added
columns, and the key before an update in `BI_<key>` columns.

Two deliveries of one change. Delivery is at least once. The same file again, or the same change
again with its change sequence, meets an equal sequence and changes nothing. A replay after a
stopped task carries new change sequences, but each starts with the old commit time: it sorts
right behind the change it repeats, so the current row is the same and history sees two equal
versions, which are one. Only several updates of one row *inside one transaction* can be replayed
as a cycle; history then shows a version more, of zero length in commit time. That is accepted:
removing it would need the memory of every stream position ever seen.
"""

from __future__ import annotations

from dlt_pipelines.source_tables import SourceTable

SOURCE_SCHEMA = "public"
NULL_TEXT = "\\N"
NO_TEXT = "\0"  # what no text of PostgreSQL can be
OP = "Op"
COMMIT_TIME = "_dms_commit_ts"
CHANGE_SEQUENCE = "_dms_change_seq"
STREAM_POSITION = "_dms_stream_pos"
BEFORE_IMAGE = "BI_"
RESCUED = "_rescued_data"
CORRUPT = "_corrupt_record"

IS_DELETE = f"{OP} = 'D'"


def folder(landing: str, table: SourceTable) -> str:
    """The folder below the landing root where DMS writes the files of a table."""
    return f"{landing.rstrip('/')}/{SOURCE_SCHEMA}/{table.name}"


def reader_options(table: SourceTable) -> dict[str, str]:
    """Auto Loader options that read a table's files as text columns, by header name.

    Hints list every known column, so that the first file does not decide the schema; unknown
    columns are added as they appear. Everything stays text here: a value that is not what its
    column should hold must reach the quarantine, not vanish in the reader.

    Spark's CSV reader gives null for `nullValue` and for every empty field without quotes, and so
    DMS writes an empty text. As no field equals NO_TEXT, the null marker stays a text here and
    `changes.as_written` tells null and empty text apart.
    """
    return {
        "cloudFiles.format": "csv",
        "cloudFiles.schemaHints": ", ".join(f"`{name}` STRING" for name in file_columns(table)),
        "cloudFiles.schemaEvolutionMode": "addNewColumns",
        "rescuedDataColumn": RESCUED,
        "columnNameOfCorruptRecord": CORRUPT,
        "header": "true",
        "quote": '"',
        "escape": '"',  # RFC 4180: a quote inside quotes is doubled
        "multiLine": "true",  # a quoted value may hold line ends
        "nullValue": NO_TEXT,
        "emptyValue": "",
        "mode": "PERMISSIVE",
    }


def file_columns(table: SourceTable) -> list[str]:
    """The columns of a table's files in DMS order, and the one that keeps malformed rows."""
    return [
        OP,
        COMMIT_TIME,
        *table.columns,
        CHANGE_SEQUENCE,
        STREAM_POSITION,
        *(BEFORE_IMAGE + key for key in table.keys),
        CORRUPT,
    ]


# I, U or D. A full load without `Op` leaves it null: a loaded row is an insert.
OPERATION = f"coalesce({OP}, 'I')"

# When the source committed the change; null if the text is no timestamp. The session is in UTC.
COMMITTED = f"try_cast({COMMIT_TIME} AS TIMESTAMP)"

# One sortable text of 35 characters for load, reload and change rows. Change rows carry the change
# sequence (16 digits of time, then a counter). Loaded rows have none and get their load time in the
# same 16 digits and a zero counter, so that a reload sorts after what it replaces and before what
# came later.
SEQUENCE = (
    f"coalesce(nullif({CHANGE_SEQUENCE}, ''),"
    f" date_format({COMMITTED}, 'yyyyMMddHHmmssSS') || repeat('0', 19))"
)


def split_operations(keys: tuple[str, ...]) -> str:
    """SQL array of what to do for a change row: its operation, or D and U if it moved a key.

    An update that changed a key is a delete of the old key (`old_key`) and an upsert of the new.
    Both keep the sequence of the update; their keys differ, so there is no tie, and chains and
    swaps of keys inside one transaction still resolve.
    """
    moved = " OR ".join(f"{BEFORE_IMAGE}{key} <> {key}" for key in keys)
    return f"if({OP} = 'U' AND coalesce({moved}, false), array('D', 'U'), array({OP}))"


def old_key(key: str) -> str:
    """SQL for a key before its update; without a before image it did not change."""
    return f"coalesce({BEFORE_IMAGE}{key}, {key})"
