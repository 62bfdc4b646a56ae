"""The whole pipeline on almost nothing: one policy, no claims, tables that never arrive."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from dlt_pipelines import dms
from dlt_pipelines.source_tables import CONTROL_TABLE, SOURCE_TABLES
from local_shim.pipeline_spec.load import from_bundle
from local_shim.query.catalog import default_namespace
from local_shim.query.storage_session import reading
from local_shim.run import run
from local_shim.storage import Storage
from local_shim.update.request import Request

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("INSURANCE_SEEDS" not in os.environ, reason="a part of `make fuzz`"),
]
PROJECT = Path(__file__).parents[2]
TABLES = {table.name: table for table in SOURCE_TABLES}
WRITTEN = Decimal("329.40")
LOADED = "2024-12-31 18:00:00.000000"
TERM: dict[str, Any] = {"policy_id": 1, "policy_number": "P1", "term_no": 1, "status": "IN_FORCE"}
TERM |= {"party_id": 1, "policy_type": "MOTOR", "start_date": "2024-01-01", "currency": "EUR"}
TERM |= {"end_date": "2025-01-01", "bound_at": "2023-12-20 10:00:00"}
BOOKING = {"policy_id": 1, "coverage_id": 1, "coverage_code": "TPL", "txn_type": "NEW"}
BOOKING |= {"amount": "366.00", "tax_amount": "0", "commission_amount": "0"}
BOOKING |= {"earn_from": "2024-01-01", "earn_to": "2025-01-01"}
ROWS: dict[str, list[dict[str, Any]]] = {
    "party": [{"party_id": 1, "name": "A", "type": "individual", "status": "ACTIVE"}],
    "policy": [TERM],
    "coverage": [
        {"coverage_id": 1, "policy_id": 1, "coverage_code": "TPL", "unit_count": 1}
        | {"effective_from": "2024-01-01", "effective_to": "2025-01-01", "annual_premium": "366.00"}
    ],
    "premium_transaction": [
        BOOKING | {"premium_txn_id": 1, "booked_on": "2024-01-01"},
        # New business cannot be negative; the amount counts all the same.
        BOOKING | {"premium_txn_id": 2, "booked_on": "2024-12-31", "amount": "-36.60"},
    ],
}


def deliver(landing: Path) -> None:
    """A full load of four tables; the others have a folder and no file."""
    for table in (*SOURCE_TABLES, CONTROL_TABLE):
        folder = landing / dms.SOURCE_SCHEMA / table.name
        folder.mkdir(parents=True)
        header = [name for name in dms.file_columns(table) if name != dms.CORRUPT]
        usual = dict.fromkeys(header, dms.NULL_TEXT) | {dms.OP: "I", dms.COMMIT_TIME: LOADED}
        usual |= {name: LOADED for name in ("updated_at", "created_at") if name in header}
        lines = [
            ",".join(str(value) for value in (usual | row).values())
            for row in ROWS.get(table.name, ())
        ]
        if lines:
            (folder / "LOAD00000001.csv").write_text("\n".join([",".join(header), *lines]) + "\n")


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """The rows of some gold tables."""
    root = tmp_path_factory.mktemp("one_policy")
    deliver(root / "landing")
    spec = from_bundle(PROJECT, None, {"landing": str(root / "landing")}, None)
    assert run(Request(spec, root / "storage")).exit_code == 0
    storage = Storage(root / "storage", "insurance")
    names = ("gold_premium_month", "gold_claim_kpi", "gold_customer_360", "gold_dq_metric",
             "gold_identity", "gold_triangle", "gold_oneway", "gold_fraud_score")  # fmt: skip
    with reading(storage, default_namespace(storage)) as session:
        return {name: session.table(name).collect() for name in names}


def test_a_book_without_claims_has_premium_exposure_and_no_ratio_by_zero(
    spark: SparkSession, gold: dict[str, list[Row]]
) -> None:
    assert sum(row.written_premium for row in gold["gold_premium_month"]) == WRITTEN
    year = next(row for row in gold["gold_claim_kpi"] if row.segment == "ALL")
    assert (year.reported, year.exposure, year.earned_premium) == (0, 1.0, WRITTEN)
    assert (year.frequency, year.severity, year.pure_premium, year.loss_ratio) == (0, None, 0, 0)
    (party,) = {row.party_id for row in gold["gold_customer_360"]}
    assert party == 1
    whole = next(row for row in gold["gold_oneway"] if row.factor == "(all)")
    assert (whole.frequency, whole.severity, whole.freq_relativity) == (0.0, None, None)
    assert gold["gold_triangle"] == gold["gold_fraud_score"] == []


def test_what_is_odd_or_missing_is_counted_and_the_tables_agree(
    spark: SparkSession, gold: dict[str, list[Row]]
) -> None:
    failed = {
        (row.table_name, row.rule): (row.failed, row.amount_at_stake)
        for row in gold["gold_dq_metric"]
        if row.failed
    }
    assert failed.pop(("premium_transaction", "sign agrees with transaction")) == (
        1,
        Decimal("36.60"),
    )
    assert {table for table, _ in failed} <= {"gold_agent_scorecard"}  # nobody sold the policy
    assert [row.figure for row in gold["gold_identity"] if not row.agrees] == []
