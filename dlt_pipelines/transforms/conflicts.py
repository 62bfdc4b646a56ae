"""Finding keys that mean two things: a booking that changed, a code that two rows share."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.source_tables import SourceTable
from dlt_pipelines.transforms.changes import typed_changes


def changed_bookings(bronze: DataFrame, table: SourceTable, rules: dict[str, str]) -> DataFrame:
    """Ledger keys that valid rows carry with different content: `table_name`, `key`, `contents`.

    A delivery repeated word for word is no conflict, nor is a row the rules refuse.
    """
    valid = " AND ".join(f"coalesce(({rule}), false)" for rule in rules.values())
    return (
        typed_changes(bronze, table)
        .where(valid)
        .groupBy(F.concat_ws("|", *table.keys).alias("key"))
        .agg(F.count_distinct(F.xxhash64(*table.columns)).alias("contents"))
        .where("contents > 1")
        .select(F.lit(table.name).alias("table_name"), "key", "contents")
    )


def shared_codes(rows: DataFrame, table_name: str, code: str) -> DataFrame:
    """Codes that more than one row carries, in the same columns."""
    return (
        rows.groupBy(F.col(code).alias("key"))
        .agg(F.count("*").alias("contents"))
        .where("contents > 1")
        .select(F.lit(table_name).alias("table_name"), "key", "contents")
    )
