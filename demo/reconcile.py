"""Does every row and every cent of the source arrive? A list of differences, hopefully empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from demo.insurer import Insurer
from demo.place import Place
from dlt_pipelines.source_tables import SOURCE_TABLES, History, SourceTable
from local_shim.query import default_namespace, reading
from local_shim.storage import Storage

# What gold must add up to, said twice: over silver, and over gold.
_GOLD = {
    "written premium": (
        "SELECT sum(amount) FROM silver_premium_transaction WHERE booked_on <= {v}",
        "SELECT sum(written_premium) FROM gold_premium_month",
    ),
    "premium tax": (
        "SELECT sum(tax_amount) FROM silver_premium_transaction WHERE booked_on <= {v}",
        "SELECT sum(tax) FROM gold_premium_month",
    ),
    "commission": (
        "SELECT sum(commission_amount) FROM silver_premium_transaction WHERE booked_on <= {v}",
        "SELECT sum(commission) FROM gold_premium_month",
    ),
    "claims paid": (
        "SELECT sum(amount) FROM silver_claim_transaction "
        "WHERE txn_type = 'PAYMENT' AND accounting_date <= {v}",
        "SELECT sum(paid) FROM gold_claim_position WHERE valuation_date = {v}",
    ),
    "recovered": (
        "SELECT sum(amount) FROM silver_claim_transaction "
        "WHERE txn_type = 'RECOVERY' AND accounting_date <= {v}",
        "SELECT sum(recovered) FROM gold_claim_position WHERE valuation_date = {v}",
    ),
    "case reserve": (
        "SELECT sum(amount) FROM silver_claim_transaction "
        "WHERE txn_type = 'RESERVE' AND accounting_date <= {v}",
        "SELECT sum(case_reserve) FROM gold_claim_position WHERE valuation_date = {v}",
    ),
    "incurred, positions against accident years": (
        "SELECT sum(incurred) FROM gold_claim_position WHERE valuation_date = {v}",
        "SELECT sum(incurred) FROM gold_claim_kpi WHERE segment = 'ALL'",
    ),
    "paid, last diagonal of the triangle": (
        "SELECT sum(paid) FROM gold_claim_position WHERE valuation_date = {v}",
        "SELECT sum(incremental) FROM gold_triangle WHERE segment = 'ALL' AND measure = 'paid'",
    ),
}
_VALUATION = "(SELECT max(valuation_date) FROM ref_valuation)"


def reconcile(place: Place, source: Insurer) -> list[str]:
    """Every difference between PostgreSQL and silver, and between silver and gold."""
    storage = Storage(place.storage, "insurance")
    with reading(storage, default_namespace(storage)) as spark:
        silver = _results(spark.sql(" UNION ALL ".join(map(_silver_query, SOURCE_TABLES))))
        pairs = {
            f"{name} {side}": query.format(v=_VALUATION)
            for name, queries in _GOLD.items()
            for side, query in zip(("silver", "gold"), queries, strict=True)
        }
        selects = [f"SELECT '{name}' AS name, ({query}) AS sums" for name, query in pairs.items()]
        gold = _results(spark.sql(" UNION ALL ".join(selects)))
    origin = {
        name: rest
        for query in map(_source_query, SOURCE_TABLES)
        for name, *rest in source.rows(query)
    }
    return [*_rows_differ(origin, silver), *_sums_differ(gold)]


def _silver_query(table: SourceTable) -> str:
    current = " WHERE __END_AT IS NULL" if table.history is History.VERSIONS else ""
    return (
        f"SELECT '{table.name}' AS name, count(*) AS n, CAST({_sums(table)} AS STRING) AS sums "
        f"FROM silver_{table.name}{current}"
    )


def _source_query(table: SourceTable) -> str:
    return f"SELECT '{table.name}', count(*), CAST({_sums(table)} AS TEXT) FROM public.{table.name}"


def _sums(table: SourceTable) -> str:
    """The sum over all money and number columns: both engines add decimals exactly."""
    numbers = [name for name, kind in table.columns.items() if kind.startswith("DECIMAL")]
    added = " + ".join(f"coalesce(sum({name}), 0)" for name in numbers)
    return f"CAST({added or '0'} AS DECIMAL(38, 6))"


def _results(frame: Any) -> dict[str, list[Any]]:
    return {row[0]: list(row[1:]) for row in frame.collect()}


def _rows_differ(origin: Mapping[str, list[Any]], silver: Mapping[str, list[Any]]) -> Iterator[str]:
    for name, (rows, sums) in origin.items():
        found_rows, found_sums = silver[name]
        if rows != found_rows:
            yield f"{name}: {rows:,} rows in PostgreSQL, {found_rows:,} in silver"
        if Decimal(sums) != Decimal(found_sums):
            yield f"{name}: amounts add up to {sums} in PostgreSQL, {found_sums} in silver"


def _sums_differ(gold: Mapping[str, list[Any]]) -> Iterator[str]:
    for name in _GOLD:
        left, right = gold[f"{name} silver"][0], gold[f"{name} gold"][0]
        if (left or 0) != (right or 0):
            yield f"{name}: {left} expected, {right} in gold"
