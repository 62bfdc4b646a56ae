"""From the text of a change file to typed, sequenced and masked change rows."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dlt_pipelines import dms
from dlt_pipelines.source_tables import SourceTable


def typed_changes(bronze: DataFrame, table: SourceTable) -> DataFrame:
    """Bronze rows with every known column in its type, one row per row of the file.

    Adds `_commit_ts`, `_seq` (the order of changes), `_wrong_type` (names of the columns whose
    text is not of their type, null if none; those columns are null) and `_raw` (the row as it
    came). Nothing is filtered.
    """
    typed = {name: _cast(name, kind) for name, kind in table.columns.items()}
    before = {dms.BEFORE_IMAGE + key: table.columns[key] for key in table.keys}
    return bronze.select(
        dms.operation().alias(dms.OP),
        dms.commit_time().alias("_commit_ts"),
        dms.sequence().alias("_seq"),
        *(column.alias(name) for name, column in typed.items()),
        *(_cast(name, kind).alias(name) for name, kind in before.items()),
        _wrong_types({**table.columns, **before}).alias("_wrong_type"),
        dms.RESCUED,
        dms.CORRUPT,
        "_file",
        F.struct("*").alias("_raw"),
    )


def masked(changes: DataFrame, table: SourceTable, salt: str) -> DataFrame:
    """The same rows with direct identifiers replaced by a salted SHA-256, null staying null.

    The digest depends on salt and value alone, so that equal values stay equal across columns
    and tables: a telephone number of a claimant can still be met at another party.
    """
    digests = {
        name: F.sha2(F.concat(F.lit(salt), F.col(name)), 256) for name in sorted(table.hashed)
    }
    return changes.withColumns(digests) if digests else changes


def _cast(name: str, kind: str) -> Column:
    return F.col(name) if kind == "STRING" else F.expr(f"try_cast(`{name}` AS {kind})")


def _wrong_types(columns: dict[str, str]) -> Column:
    wrong = [
        F.when(F.col(name).isNotNull() & _cast(name, kind).isNull(), F.lit(name))
        for name, kind in columns.items()
        if kind != "STRING"
    ]
    return F.nullif(F.concat_ws(", ", *wrong), F.lit(""))
