"""Feeds of other systems: their own schema, matched to the insurer's policies by number."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from local_shim.pipeline_spec.load import from_bundle
from local_shim.run import run
from local_shim.update.request import Request
from tests.dlt_pipelines.local_frame import local_frame

PROJECT = Path(__file__).parents[2]
HEADER = "policy_number,as_of,premium,paid,reserve\n"


def lay_insurance_tables(spark: SparkSession, storage: Path) -> None:
    """Two terms of one contract, and its claim at two valuations."""
    policies = local_frame(
        spark,
        [("P1", "MOTOR", None), ("P1", "MOTOR", None), ("P9", "HOME", "ended")],
        "policy_number STRING, policy_type STRING, __END_AT STRING",
    )
    claims = local_frame(
        spark,
        [("P1", date(2024, 5, 31), Decimal(900)), ("P1", date(2024, 6, 30), Decimal(250))],
        "policy_number STRING, valuation_date DATE, incurred DECIMAL(18,2)",
    )
    for name, frame in {"silver_policy": policies, "gold_claim_position": claims}.items():
        frame.write.format("delta").save(str(storage / "tables" / "main" / "insurance" / name))


def deliver(landing: Path, system: str, name: str, rows: str) -> None:
    folder = landing / system / "bordereau"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(HEADER + rows)


@pytest.mark.slow
def test_partners_are_told_apart_corrected_and_matched_by_policy_number(
    spark: SparkSession, tmp_path: Path
) -> None:
    landing, storage = tmp_path / "landing", tmp_path / "storage"
    lay_insurance_tables(spark, storage)
    # One partner's later file comes first; another uses a number that the insurer does not have.
    deliver(landing, "north", "a.csv", "P1,2024-06-30,500.00,200.00,80.00\n")
    deliver(landing, "north", "b.csv", "P1,2024-05-31,500.00,100.00,10.00\n,2024-06-30,1,1,1\n")
    deliver(
        landing,
        "south",
        "a.csv",
        "P1,2024-06-30,7,0,0\nX7,2024-06-30,60,5,0\nX8,2024-06-30,x,5,0\n",
    )
    spec = from_bundle(PROJECT / "federation", None, {"landing": str(landing)}, None)
    assert run(Request(spec, storage)).exit_code == 0
    deliver(landing, "south", "c.csv", "X8,2024-06-30,40.00,5.00,0.00\n")
    assert run(Request(spec, storage)).exit_code == 0

    tables = storage / "tables" / "main" / "insurance_federation"
    refused = spark.read.format("delta").load(str(tables / "quarantine_bordereau")).collect()
    assert sorted((row.source_system, *row._reasons) for row in refused) == [
        ("north", "policy number present"),
        ("south", "amounts present"),
    ]
    matched = spark.read.format("delta").load(str(tables / "gold_bordereau")).collect()
    figures = ("segment", "premium", "incurred", "own_incurred", "difference")
    assert {(r.source_system, r.policy_number): tuple(r[f] for f in figures) for r in matched} == {
        ("north", "P1"): ("MOTOR", 500, 280, 250, 30),
        ("south", "P1"): ("MOTOR", 7, 0, 250, -250),
        ("south", "X7"): ("UNKNOWN", 60, 5, None, None),
        ("south", "X8"): ("UNKNOWN", 40, 5, None, None),
    }
