"""What a file of AWS DMS looks like to a reader: where it lies, how it is written, what it means.

The task's endpoint settings are part of the contract (resources of the replication, not of this
pipeline): CSV with a header, `Op` also on full load, commit time in `_dms_commit_ts` (UTC), null
as NULL_TEXT, the change sequence and stream position as added columns, and the key before an
update in `BI_<key>` columns.

Two deliveries of one change. Delivery is at least once. The same file again, or the same change
again with its change sequence, meets an equal sequence and changes nothing. A replay after a
stopped task carries new change sequences, but each starts with the old commit time: it sorts
right behind the change it repeats, so the current row is the same and history sees two equal
versions, which are one. Only several updates of one row *inside one transaction* can be replayed
as a cycle; history then shows a version more, of zero length in commit time. That is accepted:
removing it would need the memory of every stream position ever seen.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.source_tables import SourceTable

SOURCE_SCHEMA = "public"
NULL_TEXT = "\\N"
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
        "nullValue": NULL_TEXT,
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


def operation() -> Column:
    """I, U or D. A full load without `Op` leaves it null: a loaded row is an insert."""
    return F.coalesce(F.col(OP), F.lit("I"))


def commit_time() -> Column:
    """When the source committed the change; null if the text is no timestamp (session in UTC)."""
    return F.expr(f"try_cast({COMMIT_TIME} AS TIMESTAMP)")


def sequence() -> Column:
    """One sortable text of 35 characters for load, reload and change rows.

    Change rows carry the change sequence (16 digits of time, then a counter). Loaded rows have
    none and get their load time in the same 16 digits and a zero counter, so that a reload sorts
    after what it replaces and before what came later.
    """
    loaded = F.concat(F.date_format(commit_time(), "yyyyMMddHHmmssSS"), F.lit("0" * 19))
    return F.coalesce(F.nullif(F.col(CHANGE_SEQUENCE), F.lit("")), loaded)


def explode_key_updates(changes: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """Turns an update that changed a key into a delete of the old key and an upsert of the new.

    Needs `Op`, the keys and their before images `BI_<key>`, and drops the latter. Both rows keep
    the sequence of the update; their keys differ, so there is no tie, and chains and swaps of
    keys inside one transaction still resolve.
    """
    moved = F.lit(False)
    for key in keys:
        before = F.col(BEFORE_IMAGE + key)
        moved = moved | (before.isNotNull() & (before != F.col(key)))
    moved = moved & (F.col(OP) == "U")
    split = F.when(moved, F.array(F.lit("D"), F.lit("U"))).otherwise(F.array(F.col(OP)))
    exploded = changes.withColumn("_moved", moved).withColumn(OP, F.explode(split))
    gone = F.col("_moved") & (F.col(OP) == "D")
    old_keys = {
        key: F.when(gone, F.coalesce(F.col(BEFORE_IMAGE + key), F.col(key))).otherwise(F.col(key))
        for key in keys
    }
    return exploded.withColumns(old_keys).drop("_moved", *(BEFORE_IMAGE + key for key in keys))
