"""From the text of a change file to typed, sequenced and masked change rows.

Typed and masked by SQL text: one call builds a whole row, and there are up to thirty columns in
each of sixteen tables.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dlt_pipelines import dms
from dlt_pipelines.source_tables import SourceTable


def as_written(fields: DataFrame, table: SourceTable, null_value: str) -> DataFrame:
    """Fields of a file as the source had them: null and empty text are two things.

    The reader gives null for an empty field alone (see `dms.reader_options`). In a text column it
    is an empty text, in another one it is nothing. A text that equals the null marker is null: DMS
    writes both alike. So is an empty text if the marker is empty.

    [choice] A text column that a file does not have is empty in its rows; DMS writes every column.

    Args:
        fields: the frame of `dms.reader_options`, with columns that nobody classified yet.
        table: whose files they are.
        null_value: the null marker of the DMS endpoint.
    """
    names = [name for name in fields.columns if name not in (dms.RESCUED, dms.CORRUPT, "_file")]
    marker = F.lit(null_value)
    return fields.withColumns({name: F.nullif(_field(name, table), marker) for name in names})


def _field(name: str, table: SourceTable) -> Column:
    field = F.col("`" + name.replace("`", "``") + "`")
    return F.coalesce(field, F.lit("")) if table.columns.get(name) == "STRING" else field


def typed_changes(bronze: DataFrame, table: SourceTable) -> DataFrame:
    """Bronze rows with every known column in its type, one row per row of the file.

    Adds `_commit_ts`, `_seq` (the order of changes), `_wrong_type` (names of the columns whose
    text is not of their type, null if none; those columns are null) and `_raw` (the row as it
    came). Nothing is filtered.
    """
    before = {dms.BEFORE_IMAGE + key: table.columns[key] for key in table.keys}
    columns = {**table.columns, **before}
    typed = bronze.selectExpr(
        f"{dms.OPERATION} AS {dms.OP}",
        f"{dms.COMMITTED} AS _commit_ts",
        f"{dms.SEQUENCE} AS _seq",
        *(f"{_cast(name, kind)} AS {name}" for name, kind in columns.items()),
        dms.RESCUED,
        dms.CORRUPT,
        "struct(*) AS _raw",
    )
    # A second step, so that each text is cast once.
    return typed.withColumn("_wrong_type", F.expr(_wrong_types(columns)))


def changes_to_apply(typed: DataFrame, table: SourceTable, salt: str) -> DataFrame:
    """Typed rows for AUTO CDC: key updates split in two, identifiers masked.

    A direct identifier becomes a salted SHA-256; null and empty text stay what they are. The digest
    depends on salt and value alone, so that equal values stay equal across columns and tables: a
    telephone number of a claimant can still be met at another party. Of an erased row the personal
    columns are null.
    """
    split = typed.selectExpr(
        f"* EXCEPT ({dms.OP})",
        f"{dms.OP} AS _op",
        f"explode({dms.split_operations(table.keys)}) AS {dms.OP}",
    )
    return split.selectExpr(
        dms.OP,
        "_commit_ts",
        "_seq",
        *(f"{_final(name, table, salt)} AS {name}" for name in table.columns),
        "_wrong_type",
        dms.RESCUED,
        dms.CORRUPT,
        "_raw",
    )


def _final(name: str, table: SourceTable, salt: str) -> str:
    if name in table.keys:
        return f"if({dms.OP} = 'D' AND _op = 'U', {dms.old_key(name)}, {name})"
    value = _digest(name, salt) if name in table.hashed else name
    return f"if(status <=> 'ERASED', NULL, {value})" if name in table.personal else value


def _digest(name: str, salt: str) -> str:
    escaped = salt.replace("\\", "\\\\").replace("'", "\\'")
    return f"if({name} = '', '', sha2(concat('{escaped}', {name}), 256))"


def _cast(name: str, kind: str) -> str:
    return name if kind == "STRING" else f"try_cast({name} AS {kind})"


def _wrong_types(columns: Mapping[str, str]) -> str:
    wrong = [
        f"if(_raw.{name} IS NOT NULL AND {name} IS NULL, '{name}', NULL)"
        for name, kind in columns.items()
        if kind != "STRING"
    ]
    return f"nullif(concat_ws(', ', {', '.join(wrong)}), '')"
