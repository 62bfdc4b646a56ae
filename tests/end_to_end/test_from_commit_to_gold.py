"""What PostgreSQL committed is what silver holds, and gold is what PostgreSQL itself computes."""

from __future__ import annotations

import csv
import hashlib
import math
import random
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from demo.insurer import Insurer
from demo.pictures.page import write_pictures
from demo.place import Place
from demo.reconcile import reconcile
from dlt_pipelines.quality import raw_warn_rules
from dlt_pipelines.source_tables import SOURCE_TABLES, History, SourceTable
from local_shim.pipeline_spec.load import from_bundle
from local_shim.query.catalog import default_namespace
from local_shim.query.storage_session import reading
from local_shim.run import run
from local_shim.storage import Storage
from local_shim.update.request import Request
from tests.end_to_end.conftest import PROJECT, House

GRAINS = {
    "gold_premium_month": ("month", "policy_type", "coverage_code", "channel"),
    "gold_inforce_month_end": ("month_end", "policy_type"),
    "gold_exposure_segment": ("coverage_id", "calendar_year"),
    "gold_inforce_movement": ("calendar_year", "policy_type"),
    "gold_surrender_year": ("policy_type", "policy_year"),
    "gold_retention_cohort": ("expiry_month", "factor", "level"),
    "gold_customer_360": ("party_id",),
    "gold_concentration": ("top_share_pct",),
    "gold_agent_scorecard": ("agent_id", "calendar_year"),
    "gold_oneway": ("factor", "level"),
    "gold_claim_position": ("claim_id",),
    "gold_claim_kpi": ("accident_year", "segment"),
    "gold_triangle": ("segment", "measure", "origin_year", "dev_lag_months"),
    "gold_reserve_movement": ("calendar_year", "segment"),
    "gold_ldf": ("segment", "measure", "average", "from_lag_months"),
    "gold_ultimate": ("segment", "measure", "origin_year"),
    "gold_fund_valuation": ("fund_code", "party_id"),
    "gold_household": ("household_id",),
    "gold_customer_segment": ("party_id",),
    "gold_actual_expected": ("factor", "level"),
    "gold_fraud_flag": ("claim_id", "rule"),
    "gold_fraud_score": ("claim_id",),
    "gold_anomaly_day": ("day", "segment", "metric"),
    "gold_dq_metric": ("day", "table_name", "rule"),
}
# The rows that PostgreSQL computes, where they are not all.
COMPUTED_TWICE = {
    "gold_claim_position": "valuation_date = DATE'{v}'",
    "gold_customer_360": "valuation_date = DATE'{v}'",
    "gold_oneway": "factor NOT LIKE '%band'",
    "gold_fund_valuation": "valuation_date = DATE'{v}'",
    "gold_ldf": "average IN ('volume', 'simple')",
    "gold_household": "valuation_date = DATE'{v}'",
    "gold_customer_segment": "valuation_date = DATE'{v}'",
    "gold_actual_expected": "factor NOT LIKE '%band'",
    "gold_anomaly_day": "metric NOT LIKE 'rows_%'",
    "gold_dq_metric": "action = 'warn' AND failed > 0 AND table_name NOT LIKE 'gold%'",
}
# The rows that do not count what was delivered: a file that came twice counts twice in the others.
RULES_ON_CHANGES = {rule for table in SOURCE_TABLES for rule in raw_warn_rules(table)}
WHATEVER_THE_FILES = {
    "gold_dq_metric": f"action = 'warn' AND rule NOT IN ({str(sorted(RULES_ON_CHANGES))[1:-1]})",
    "gold_anomaly_day": "metric NOT LIKE 'rows_%'",
}
# Rows that break rules, and claims that look like fraud: nothing is dropped for them.
ODD_ROWS = """
    UPDATE party SET type = NULL WHERE party_id = (SELECT min(party_id) FROM party);
    UPDATE payment SET invoice_id = NULL WHERE payment_id = (SELECT min(payment_id) FROM payment);
    UPDATE fund_price SET bid_price = 2 * bid_price
     WHERE price_date = (SELECT min(price_date) + 1 FROM fund_price);
    UPDATE claim SET cause_code = 'THEFT', police_report = NULL
     WHERE claim_id = (SELECT min(claim_id) FROM claim);
    UPDATE claim_party SET phone = '+44 20 7946 0000';
    UPDATE party SET phone = '';
    CALL control.count_rows();
"""
# Products of a factor: the two engines may round a last digit apart.
ROUNDED = {"ultimate", "to_come", "ibnr", "bf_ultimate", "clv"}


# What lines of the commands hold: a step of the load, a file of the replication, a table.
LOADED, FILE, TABLE = '"message"', '"file_published"', '"status": "COMPLETED"'


@pytest.mark.slow
def test_silver_and_gold_equal_the_source_after_kills_and_after_any_days(
    house: House, spark: SparkSession
) -> None:
    """Kills of the stand-in and of an update lose nothing and double nothing."""
    days = random.Random(11)
    replicate_and_update_under_kills(house)
    for _ in range(2):
        house.live(days.randint(1, 3))
        house.do(house.dms())
    assert update(house.landing, house.storage)
    assert_equal(house)
    assert differences(house) == []
    assert_same_tables_from_shuffled_and_repeated_files(house)
    assert '"triangle": [{' in write_pictures(Place(house.folder, PROJECT)).read_text()
    house.live(1)
    assert any(" rows in PostgreSQL, " in line for line in differences(house))


def update(landing: Path, storage: Path) -> bool:
    """Whether an update in this process is completed."""
    spec = from_bundle(PROJECT, None, {"landing": str(landing)})
    return run(Request(spec, storage)).exit_code == 0


def replicate_and_update_under_kills(house: House) -> None:
    """Kills the load, the replication, and an update that has written a part of gold."""
    write_odd_rows(house)
    house.kill(house.dms(), after=10, of=LOADED)
    house.do(house.dms())
    house.live(2)
    house.kill(house.dms(), after=1, of=FILE)
    house.do(house.dms())
    house.kill(house.update(), after=64, of=TABLE)


def write_odd_rows(house: House) -> None:
    for statement in ODD_ROWS.split(";")[:-1]:
        house.sql(statement)


def differences(house: House) -> list[str]:
    """What the demo's reconciliation finds."""
    insurer = Insurer(house.uri)
    try:
        return reconcile(Place(house.folder, PROJECT), insurer)
    finally:
        insurer.connection.close()


def assert_equal(house: House) -> None:
    """Row by row for silver's current rows, figure by figure for gold."""
    storage = Storage(house.storage, "insurance")
    with reading(storage, default_namespace(storage)) as spark:
        for table in SOURCE_TABLES:
            assert silver(spark, table) == source(house, table), table.name
        assert unexplained(spark) == []
        assert spark.table("gold_identity").where("NOT agrees").collect() == []
        row = spark.sql("SELECT max(valuation_date) FROM ref_valuation").first()
        assert row is not None
        for name in GRAINS:
            assert_same_figures(name, gold(spark, name, row[0]), report(house, name, row[0]))


def assert_same_tables_from_shuffled_and_repeated_files(house: House) -> None:
    """One update over all files, each twice and with shuffled rows, gives the same rows."""
    landing, storage = house.folder / "shuffled", house.folder / "one_batch"
    write_shuffled_twice(house.landing, landing)
    assert update(landing, storage)
    expected, actual = silver_and_gold(house.storage), silver_and_gold(storage)
    assert actual.keys() == expected.keys() >= GRAINS.keys()
    for name, rows in expected.items():
        assert actual[name] == rows, name


def write_shuffled_twice(landing: Path, target: Path) -> None:
    """Copies each file under two names; each copy has another order of rows."""
    dice = random.Random(5)
    for file in landing.rglob("*.csv"):
        folder = target / file.relative_to(landing).parent
        folder.mkdir(parents=True, exist_ok=True)
        with file.open(newline="") as lines:
            header, *rows = csv.reader(lines)
        for name in (file.name, f"again_{file.name}"):
            dice.shuffle(rows)
            with (folder / name).open("w", newline="") as copy:
                csv.writer(copy, lineterminator="\n").writerows([header, *rows])


def silver_and_gold(root: Path) -> dict[str, list[str]]:
    """Every row of silver, with the interval in which it was current, and of gold."""
    storage = Storage(root, "insurance")
    with reading(storage, default_namespace(storage)) as spark:
        names = [log.parent.name for log in (root / "tables").rglob("_delta_log")]
        frames = {
            name: spark.table(name).where(WHATEVER_THE_FILES.get(name, "true"))
            for name in names
            if name.startswith(("silver_", "gold_"))
        }
        return {
            name: sorted(
                row.text for row in frame.selectExpr("to_json(struct(*)) AS text").collect()
            )
            for name, frame in frames.items()
        }


def unexplained(spark: SparkSession) -> list[Any]:
    """The days on which silver is not what the source counted; and one row if none was counted."""
    days = spark.table("gold_reconciliation")
    differing = days.where("explanation <> 'agrees' OR excluded_rows <> 0").collect()
    return differing or [days.count()] * (days.count() == 0)


def silver(spark: SparkSession, table: SourceTable) -> dict[Any, Any]:
    frame = spark.table(f"silver_{table.name}")
    if table.history is History.VERSIONS:
        frame = frame.where("__END_AT IS NULL")
    rows = frame.select(*table.columns).collect()
    return {tuple(row[key] for key in table.keys): plain(row.asDict()) for row in rows}


def source(house: House, table: SourceTable) -> dict[Any, Any]:
    rows = house.sql(f"SELECT {', '.join(table.columns)} FROM public.{table.name}")
    for row in rows:
        for name in table.hashed:
            if row.get("status") == "ERASED":
                row[name] = None
            elif row[name]:
                row[name] = hashlib.sha256(row[name].encode()).hexdigest()
    return {tuple(row[key] for key in table.keys): plain(row) for row in rows}


def gold(spark: SparkSession, name: str, valuation: date) -> dict[Any, Any]:
    frame = spark.table(name).where(COMPUTED_TWICE.get(name, "true").format(v=valuation))
    return {tuple(row[key] for key in GRAINS[name]): row.asDict() for row in frame.collect()}


def report(house: House, name: str, valuation: date) -> dict[Any, Any]:
    rows = house.sql(f"SELECT * FROM report.{name.removeprefix('gold_')}(DATE '{valuation}')")
    return {tuple(row[key] for key in GRAINS[name]): row for row in rows}


def assert_same_figures(name: str, actual: dict[Any, Any], expected: dict[Any, Any]) -> None:
    assert expected, name
    assert actual.keys() == expected.keys(), name
    for key, row in expected.items():
        for column, value in row.items():
            cents = Decimal("0.02") if column in ROUNDED else Decimal(0)
            assert same(actual[key][column], value, cents), f"{name} {key} {column}"


def same(actual: Any, expected: Any, cents: Decimal = Decimal(0)) -> bool:
    if cents and None not in (actual, expected):
        return bool(abs(actual - expected) <= cents)
    if isinstance(actual, float) or isinstance(expected, float):
        if actual is None or expected is None:
            return actual is expected
        return math.isclose(float(actual), float(expected), rel_tol=1e-9, abs_tol=1e-9)
    return bool(actual == expected)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Values that compare alike wherever they came from: text unpadded, times in UTC."""

    def value(each: Any) -> Any:
        if isinstance(each, datetime) and each.tzinfo is not None:
            return each.replace(tzinfo=None) - each.utcoffset()  # type: ignore[operator]
        if isinstance(each, Decimal):
            return each.normalize()
        return each.rstrip() if isinstance(each, str) else each

    return {name: value(each) for name, each in row.items()}
