"""What the pipeline files declare, seen by a `dlt` that takes only what Databricks documents."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pyspark.sql import SparkSession

from dlt_pipelines.gold_rules import GOLD_RULES
from dlt_pipelines.source_tables import SOURCE_TABLES, History

PACKAGE = Path(__file__).parents[2] / "dlt_pipelines"
FILES = sorted(
    path for room in ("bronze", "silver", "gold") for path in (PACKAGE / room).rglob("*.py")
)
NAMES = [table.name for table in SOURCE_TABLES]


class Untouched:
    """A `spark` that nobody may use while files are loaded."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"spark.{name} was used at import: declarations only register")


class Recorder(ModuleType):
    """The documented functions of `dlt` that the pipeline uses, with their documented arguments."""

    def __init__(self) -> None:
        super().__init__("dlt")
        self.datasets: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, dict[str, str]] = {}
        self.expectations: dict[str, dict[str, str]] = {}
        self.flows: dict[str, dict[str, Any]] = {}

    def table(
        self, *, name: str | None = None, comment: str, table_properties: dict[str, str],
        cluster_by: list[str] | None = None, schema: str | None = None, temporary: bool = False,
    ) -> Callable[[Any], Any]:  # fmt: skip
        return self._declare("table", name, comment=comment, schema=schema, cluster_by=cluster_by)

    def view(self, *, name: str | None = None, comment: str) -> Callable[[Any], Any]:
        return self._declare("view", name, comment=comment)

    def create_streaming_table(
        self, *, name: str, comment: str, table_properties: dict[str, str],
        cluster_by: list[str] | None, expect_all: dict[str, str],
    ) -> None:  # fmt: skip
        self.datasets[name] = {"kind": "target", "comment": comment, "cluster_by": cluster_by}
        self.rules[name] = expect_all

    def apply_changes(
        self, *, target: str, source: str, keys: list[str], sequence_by: Any,
        apply_as_deletes: Any, column_list: list[str], stored_as_scd_type: int,
        track_history_except_column_list: list[str] | None,
    ) -> None:  # fmt: skip
        self.flows[target] = {"source": source, "keys": keys, "scd": stored_as_scd_type}
        self.flows[target] |= {"columns": column_list, "sequence": str(sequence_by)}

    def expect_all(self, expectations: dict[str, str]) -> Callable[[Any], Any]:
        def note(function: Any) -> Any:
            function.warn_rules = expectations
            return function

        return note

    def expect_all_or_drop(self, expectations: dict[str, str]) -> Callable[[Any], Any]:
        def note(function: Any) -> Any:
            function.drop_rules = expectations
            return function

        return note

    def expect_all_or_fail(self, expectations: dict[str, str]) -> Callable[[Any], Any]:
        return lambda function: function

    def _declare(self, kind: str, name: str | None, **facts: Any) -> Callable[[Any], Any]:
        def register(function: Any) -> Any:
            full = name or function.__name__
            assert full not in self.datasets, f"{full} is declared twice"
            self.datasets[full] = {"kind": kind, **facts}
            self.rules[full] = getattr(function, "drop_rules", {})
            self.expectations[full] = getattr(function, "warn_rules", {})
            return function

        return register


@pytest.fixture(scope="module")
def declared(spark: SparkSession) -> Recorder:  # Columns need a running Spark
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "dlt", recorder)
        for path in FILES:
            runpy.run_path(str(path), init_globals={"spark": Untouched()})
    return recorder


def test_every_source_table_has_its_four_datasets(declared: Recorder) -> None:
    layers = {"bronze_": "table", "changes_": "view", "silver_": "target", "quarantine_": "table"}
    for prefix, kind in layers.items():
        names = {name for name, facts in declared.datasets.items() if name.startswith(prefix)}
        assert names == {prefix + name for name in NAMES}
        assert {declared.datasets[name]["kind"] for name in names} == {kind}


def test_silver_follows_the_history_of_its_table(declared: Recorder) -> None:
    for table in SOURCE_TABLES:
        flow = declared.flows[f"silver_{table.name}"]
        assert flow["source"] == f"changes_{table.name}"
        assert flow["keys"] == list(table.keys)
        assert flow["columns"] == list(table.columns)
        versions = table.history is History.VERSIONS
        assert flow["scd"] == (2 if versions else 1)
        assert ("_commit_ts" in flow["sequence"]) is versions


def test_ledgers_refuse_what_is_no_insert(declared: Recorder) -> None:
    append_only = {
        name.removeprefix("changes_")
        for name, rules in declared.rules.items()
        if "append only" in rules
    }
    assert append_only == {
        "policy_version", "premium_transaction", "claim_transaction", "fund_price",
    }  # fmt: skip


def test_a_gold_file_holds_the_dataset_it_is_named_after(declared: Recorder) -> None:
    gold = {path.stem for path in FILES if path.is_relative_to(PACKAGE / "gold")}
    others = {"key_conflict"}
    prefixes = ("bronze_", "changes_", "silver_", "quarantine_")
    names = {name for name in declared.datasets if not name.startswith(prefixes)}
    assert names == gold | others


def test_every_expectation_of_gold_is_counted_in_gold_dq_metric(declared: Recorder) -> None:
    expected = {
        name: rules
        for name, rules in declared.expectations.items()
        if rules and not name.startswith("changes_")
    }
    assert expected == {name: dict(gold.rules) for name, gold in GOLD_RULES.items()}


def test_every_table_says_its_grain(declared: Recorder) -> None:
    silent = [
        name
        for name, facts in declared.datasets.items()
        if facts["kind"] != "view" and "one row per" not in facts["comment"]
    ]
    assert silent == []


def test_every_column_of_gold_says_what_it_is(spark: SparkSession, declared: Recorder) -> None:
    schemas = {n: facts["schema"] for n, facts in declared.datasets.items() if facts.get("schema")}
    assert {name for name in schemas if name.startswith("gold_")} == set(CONTRACT)
    silent = [
        (name, field.name)
        for name, schema in schemas.items()
        for field in spark.createDataFrame([], schema).schema.fields
        if not field.metadata.get("comment")
    ]
    assert silent == []


CONTRACT = {
    "gold_premium_month": "month policy_type coverage_code channel written_premium earned_premium"
    " earned_premium_accounting unearned_premium_start unearned_premium_end tax commission",
    "gold_inforce_month_end": "month_end policy_type policies coverages vehicles in_force_premium",
    "gold_exposure_segment": "coverage_id calendar_year policy_id policy_type coverage_code"
    " earned_days unit_count exposure exposure_term_basis",
    "gold_inforce_movement": "calendar_year policy_type opening_in_force new_business reinstated"
    " cancelled lapsed surrendered claims closing_in_force opening_premium new_premium"
    " exited_premium closing_premium premium_change",
    "gold_surrender_year": "policy_type policy_year policies_entering exposure_policy_years"
    " surrenders surrender_rate_central survival_end",
    "gold_retention_cohort": "expiry_month factor level expiring renewed expiring_premium"
    " renewed_premium expiring_premium_of_renewed renewal_ratio lapse_ratio premium_retention"
    " rate_change_on_renewed retention_12m mature cancelled_mid_term",
    "gold_customer_360": "party_id valuation_date policies_in_force distinct_lines"
    " in_force_premium tenure_years channel claims_36m incurred_36m loss_ratio_36m last_contact_on"
    " overdue_invoices next_expiry_on age_band postal_area earned_premium_36m terms_36m"
    " last_bound_or_paid_on",
    "gold_customer_segment": "party_id valuation_date recency_days frequency monetary r f m rfm"
    " clv clv_tier",
    "gold_household": "household_id valuation_date members policies_in_force distinct_lines"
    " in_force_premium is_institution",
    "gold_concentration": "valuation_date top_share_pct customers incurred share_of_total",
    "gold_glm_exposure": "coverage_id calendar_year segment_no policy_id policy_number exposure"
    " ln_exposure claim_count incurred incurred_capped earned_premium written_premium"
    " valuation_date dev_months area_code region_code channel usage_code object_class power_class"
    " make fuel_type deductible payment_plan coverage driver_age_band vehicle_age_band ncd_band"
    " density_band tenure_band policy_type paid_claim_count incurred_paid_claims",
    "gold_oneway": "factor level exposure claim_count paid_claim_count incurred incurred_capped"
    " frequency severity severity_paid_claims pure_premium pure_premium_capped freq_relativity"
    " pp_relativity credibility credible_relativity credible_freq_relativity pp_capped_relativity",
    "gold_actual_expected": "factor level exposure actual_claims expected_claims actual_incurred"
    " expected_incurred actual_to_expected band_low band_high significant incurred_to_expected",
    "gold_agent_scorecard": "agent_id calendar_year channel written_premium earned_premium expiring"
    " renewed renewal_ratio claims incurred loss_ratio commission",
    "gold_claim_position": "claim_id valuation_date claim_number policy_id policy_number segment"
    " coverage_code cause_code catastrophe_code loss_date accident_year reported_on"
    " report_lag_days status closed_on litigated paid paid_indemnity paid_expense recovered"
    " case_reserve recovery_reserve incurred incurred_capped excess is_large",
    "gold_claim_kpi": "accident_year segment reported open closed_with_payment closed_no_payment"
    " reopened exposure earned_premium paid incurred frequency severity severity_paid_claims"
    " pure_premium loss_ratio large_count excess",
    "gold_triangle": "segment measure origin_year dev_lag_months incremental cumulative",
    "gold_reserve_movement": "calendar_year segment opening_case_reserve set_up strengthening"
    " release eroded_by_payment reserve_change closing_case_reserve paid recovered"
    " calendar_year_incurred open_claims recovery_reserve_change",
    "gold_ldf": "segment measure average from_lag_months to_lag_months ldf cdf_to_ultimate"
    " zero_bases selected",
    "gold_fraud_flag": "claim_id rule points policy_id days_since_inception peer_group peer_n"
    " peer_median peer_ratio robust_z sharers evidence",
    "gold_reconciliation": "table_name day source_rows silver_rows gold_rows refused_rows"
    " missing_rows excluded_rows source_amount silver_amount gold_amount missing_amount"
    " explanation counted_at",
    "gold_identity": "figure part lowest highest difference agrees tables",
    "gold_dq_metric": "day table_name rule action passed failed amount_at_stake",
    "gold_anomaly_day": "day segment metric value baseline z points flagged method",
    "gold_fund_valuation": "fund_code party_id valuation_date units bid_price price_date is_stale"
    " value price_effect unit_effect pit_fallback",
    "gold_fraud_score": "claim_id score band rules siu_status",
    "gold_ultimate": "segment measure origin_year latest_lag_months latest cdf_to_ultimate"
    " ultimate to_come ibnr bf_ultimate",
}


@pytest.mark.parametrize("name", CONTRACT)
def test_gold_columns_are_the_contract(spark: SparkSession, declared: Recorder, name: str) -> None:
    schema = declared.datasets[name]["schema"]
    frame = spark.createDataFrame([], schema)
    assert frame.columns == CONTRACT[name].split()
