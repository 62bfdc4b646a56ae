"""Does every row and every cent of the source arrive? A list of differences, hopefully empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pyspark.sql import Row, SparkSession

from demo.insurer import Insurer
from demo.place import Place
from dlt_pipelines.source_tables import SOURCE_TABLES, History, SourceTable
from local_shim.query.catalog import default_namespace
from local_shim.query.storage_session import reading
from local_shim.storage import Storage

_Results = Mapping[str, tuple[Any, ...]]  # one row for each table


def reconcile(place: Place, source: Insurer) -> list[str]:
    """Every difference between PostgreSQL and silver, and between tables of gold."""
    storage = Storage(place.storage, "insurance")
    with reading(storage, default_namespace(storage), of_files=True) as spark:
        silver = {table.name: _first(spark, _silver_query(table)) for table in SOURCE_TABLES}
        disagreeing = spark.sql("SELECT * FROM gold_identity WHERE NOT agrees").collect()
    origin = {table.name: source.rows(_source_query(table))[0] for table in SOURCE_TABLES}
    return [*_rows_differ(origin, silver), *map(_disagreement, disagreeing)]


def _first(spark: SparkSession, query: str) -> Row:
    return spark.sql(query).collect()[0]


def _silver_query(table: SourceTable) -> str:
    current = " WHERE __END_AT IS NULL" if table.history is History.VERSIONS else ""
    return f"SELECT count(*), CAST({_sums(table)} AS STRING) FROM silver_{table.name}{current}"


def _source_query(table: SourceTable) -> str:
    return f"SELECT count(*), CAST({_sums(table)} AS TEXT) FROM public.{table.name}"


def _sums(table: SourceTable) -> str:
    """The sum over all money and number columns: both engines add decimals exactly."""
    numbers = [name for name, kind in table.columns.items() if kind.startswith("DECIMAL")]
    added = " + ".join(f"coalesce(sum({name}), 0)" for name in numbers)
    return f"CAST({added or '0'} AS DECIMAL(38, 6))"


def _rows_differ(origin: _Results, silver: _Results) -> Iterator[str]:
    for name, (rows, sums) in origin.items():
        found_rows, found_sums = silver[name]
        if rows != found_rows:
            yield f"{name}: {rows:,} rows in PostgreSQL, {found_rows:,} in silver"
        if Decimal(sums) != Decimal(found_sums):
            yield f"{name}: amounts add up to {sums} in PostgreSQL, {found_sums} in silver"


def _disagreement(row: Row) -> str:
    tables = ", ".join(row.tables)
    return f"{row.figure} {row.part}: {row.lowest} to {row.highest} in {tables}"
