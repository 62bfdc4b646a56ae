"""Rows of a frame as text: a table for people, CSV or JSON lines for programs."""

from __future__ import annotations

import csv
import io

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NumericType

from local_shim.text_table import text_table

MICROSECONDS = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "ignoreNullFields": "false",
}
NESTED = ("struct", "array", "map", "variant")


def render(frame: DataFrame, form: str) -> str:
    """All rows; JSON has every column, NULLs included, in UTC with microseconds."""
    if form == "json":
        lines = frame.select(F.to_json(F.struct("*"), MICROSECONDS).alias("line"))
        return "\n".join(row["line"] for row in lines.collect())
    rows = _texts(frame)
    if form == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(frame.columns)
        writer.writerows([["" if value is None else value for value in row] for row in rows])
        return text.getvalue().rstrip("\n")
    cells = [["NULL" if value is None else value for value in row] for row in rows]
    numeric = [isinstance(field.dataType, NumericType) for field in frame.schema]
    count = f"({len(rows)} row{'' if len(rows) == 1 else 's'})"
    return f"{text_table(frame.columns, cells, numeric)}\n{count}"


def _texts(frame: DataFrame) -> list[tuple[str | None, ...]]:
    """Every value as SQL prints it; two columns may have one name."""
    places = [f"c{place}" for place in range(len(frame.columns))]
    types = [field.dataType for field in frame.schema]
    columns = [_text(F.col(place), kind) for place, kind in zip(places, types, strict=True)]
    return [tuple(row) for row in frame.toDF(*places).select(*columns).collect()]


def _text(column: Column, kind: DataType) -> Column:
    name = kind.typeName()
    if name in NESTED:
        return F.to_json(column, MICROSECONDS)
    if name == "timestamp":  # the session's time zone is UTC
        return F.concat(column.cast("string"), F.lit("Z"))
    if name == "binary":
        return F.concat(F.lit("X'"), F.hex(column), F.lit("'"))
    return column.cast("string")
