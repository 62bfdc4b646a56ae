"""Small frames in the shape of the silver tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType, _parse_datatype_string

from dlt_pipelines.source_tables import SOURCE_TABLES, History
from tests.dlt_pipelines.local_frame import local_frame

Silver = Callable[..., DataFrame]

TABLES = {table.name: table for table in SOURCE_TABLES}
SEQUENCE = "STRUCT<_seq: STRING, _commit_ts: TIMESTAMP>"
LOADED = datetime(2020, 1, 1)


@pytest.fixture(scope="session")
def silver(spark: SparkSession) -> Silver:
    """`silver(table, rows)`: a frame of the silver table from dicts of the columns that matter.

    Money and dates may be text. Versions are open since the load; `start=` and `end=` (dates)
    place them elsewhere.
    """

    def frame(name: str, *rows: dict[str, Any]) -> DataFrame:
        table = TABLES[name]
        columns = dict(table.columns)
        if table.history is History.VERSIONS:
            columns |= {"__START_AT": SEQUENCE, "__END_AT": SEQUENCE}
        ddl = ", ".join(f"`{column}` {kind}" for column, kind in columns.items())
        schema = _parse_datatype_string(ddl)
        assert isinstance(schema, StructType)
        return local_frame(spark, [_row(row, columns) for row in rows], schema)

    return frame


def _row(row: dict[str, Any], columns: dict[str, str]) -> tuple[Any, ...]:
    unknown = set(row) - set(columns) - {"start", "end"}
    assert not unknown, f"no such columns: {unknown}"
    values = {name: _value(row.get(name), kind) for name, kind in columns.items()}
    if "__START_AT" in columns:
        values["__START_AT"] = _sequence(row.get("start")) or ("0", LOADED)
        values["__END_AT"] = _sequence(row.get("end"))
    return tuple(values.values())


def _sequence(day: str | None) -> tuple[str, datetime] | None:
    return None if day is None else (day, datetime.fromisoformat(day))


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind.startswith("DECIMAL"):
        return Decimal(str(value))
    if kind == "DATE":
        return date.fromisoformat(value) if isinstance(value, str) else value
    if kind == "TIMESTAMP":
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    return value


@pytest.fixture(scope="session")
def valued_at(spark: SparkSession) -> Callable[..., DataFrame]:
    """`valued_at("2024-12-31", …)`: a frame of valuation dates."""

    def frame(*days: str) -> DataFrame:
        rows = [(date.fromisoformat(day),) for day in days]
        return local_frame(spark, rows, "valuation_date DATE")

    return frame
