"""Does every row and every cent of the source arrive? A list of differences, hopefully empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
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

# The rows that figures as at the valuation {v} are made of; segment ALL is the sum of the others.
_ROWS = {
    "silver_premium_transaction": "booked_on <= {v}",
    "silver_claim_transaction": "accounting_date <= {v}",
    "gold_premium_month": "true",
    "gold_claim_position": "valuation_date = {v}",
    "gold_claim_kpi": "segment = 'ALL'",
    "gold_triangle": "segment = 'ALL'",
    "gold_reserve_movement": "segment = 'ALL'",
    "gold_glm_exposure": "true",
    "gold_agent_scorecard": "true",
}
# What must be the same number twice: a sum over one of these tables, and one over another.
_PREMIUM, _CLAIMS = "silver_premium_transaction", "silver_claim_transaction"
_TWICE = {
    "written premium": {
        _PREMIUM: "sum(amount)",
        "gold_premium_month": "sum(written_premium)",
        "gold_glm_exposure": "sum(written_premium)",
        "gold_agent_scorecard": "sum(written_premium)",
    },
    "premium tax": {
        _PREMIUM: "sum(tax_amount)",
        "gold_premium_month": "sum(tax)",
    },
    "commission": {
        _PREMIUM: "sum(commission_amount)",
        "gold_premium_month": "sum(commission)",
        "gold_agent_scorecard": "sum(commission)",
    },
    "claims paid": {
        _CLAIMS: "sum(amount) FILTER (WHERE txn_type = 'PAYMENT')",
        "gold_claim_position": "sum(paid)",
        "gold_reserve_movement": "sum(paid)",
    },
    "recovered": {
        _CLAIMS: "sum(amount) FILTER (WHERE txn_type = 'RECOVERY')",
        "gold_claim_position": "sum(recovered)",
        "gold_reserve_movement": "sum(recovered)",
    },
    "case reserve": {
        _CLAIMS: "sum(amount) FILTER (WHERE txn_type = 'RESERVE')",
        "gold_claim_position": "sum(case_reserve)",
        "gold_reserve_movement": "sum(reserve_change)",
    },
    "incurred, positions against accident years and calendar years": {
        "gold_claim_position": "sum(incurred)",
        "gold_claim_kpi": "sum(incurred)",
        "gold_glm_exposure": "sum(incurred)",
        "gold_agent_scorecard": "sum(incurred)",
        "gold_reserve_movement": "sum(calendar_year_incurred + recovery_reserve_change)",
    },
    "claims reported, accident years against model rows and agents": {
        "gold_claim_kpi": "sum(reported)",
        "gold_glm_exposure": "sum(claim_count)",
        "gold_agent_scorecard": "sum(claims)",
    },
    "paid, last diagonal of the triangle": {
        "gold_claim_position": "sum(paid)",
        "gold_triangle": "sum(incremental) FILTER (WHERE measure = 'paid')",
    },
}


def reconcile(place: Place, source: Insurer) -> list[str]:
    """Every difference between PostgreSQL and silver, and between silver and gold."""
    storage = Storage(place.storage, "insurance")
    with reading(storage, default_namespace(storage), of_files=True) as spark:
        silver = {table.name: _first(spark, _silver_query(table)) for table in SOURCE_TABLES}
        (valuation,) = _first(spark, "SELECT max(valuation_date) FROM ref_valuation")
        sums = {table: _first(spark, _sums_query(table, valuation)) for table in _ROWS}
    origin = {table.name: source.rows(_source_query(table))[0] for table in SOURCE_TABLES}
    return [*_rows_differ(origin, silver), *_sums_differ(sums)]


def _first(spark: SparkSession, query: str) -> Row:
    return spark.sql(query).collect()[0]


def _sums_query(table: str, valuation: date) -> str:
    pairs = [(name, sides[table]) for name, sides in _TWICE.items() if table in sides]
    sums = ", ".join(f"{total} AS `{name}`" for name, total in pairs)
    rows = _ROWS[table].format(v=f"DATE'{valuation}'")
    return f"SELECT {sums} FROM {table} WHERE {rows}"


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


def _sums_differ(sums: Mapping[str, Row]) -> Iterator[str]:
    for name, sides in _TWICE.items():
        totals = {table: sums[table][name] or 0 for table in sides}
        if len(set(totals.values())) > 1:
            yield f"{name}: " + ", ".join(f"{total} in {table}" for table, total in totals.items())
