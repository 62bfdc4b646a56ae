"""Renewals: the worked example of the insurance model, section b3, and what is no renewal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines.settings import BAND_EDGES
from dlt_pipelines.transforms.bands import band_rows
from dlt_pipelines.transforms.policies.retention import retention_cohorts, terms_that_end
from tests.dlt_pipelines.local_frame import local_frame
from tests.dlt_pipelines.policies.conftest import term

Cohorts = Callable[..., dict[tuple[str, str], Row]]


def version(policy_id: int, premium: str, version_no: int = 1) -> dict[str, Any]:
    row = {"policy_id": policy_id, "version_no": version_no, "annual_premium": premium}
    return row | {"booked_at": "2023-01-01T09:00"}


def following(policy_id: int, of: int, status: str = "IN_FORCE", **more: Any) -> dict[str, Any]:
    """The next term of policy P<of>."""
    row = {"policy_number": f"P{of}", "term_no": 2, "status": status}
    return term(policy_id, "2024-06-15", "2025-06-15", **(row | more))


@pytest.fixture
def cohorts(spark: SparkSession, silver: Any, valued_at: Callable[..., DataFrame]) -> Cohorts:
    def frame(
        terms: list[dict[str, Any]], versions: list[dict[str, Any]], valuation: str = "2024-12-31"
    ) -> dict[tuple[str, str], Row]:
        bands = local_frame(
            spark, band_rows(BAND_EDGES), "band STRING, lower INT, upper INT, label STRING"
        )
        cohort = retention_cohorts(
            terms_that_end(
                silver("policy", *terms), silver("policy_version", *versions), valued_at(valuation)
            ),
            silver("agent", {"agent_id": 7, "channel": "BROKER"}),
            silver("risk_object", {"risk_object_id": 1, "policy_id": 1, "region_code": "R1"}),
            bands,
            30,
        )
        return {(row.factor, row.level): row for row in cohort.collect()}

    return frame


def test_ratios_of_a_cohort_as_in_the_example(cohorts: Cohorts) -> None:
    terms, versions = [], []
    for number in range(1, 1051):
        cancelled = {"cancelled_on": "2024-02-01"} if number > 1000 else {}
        terms.append(term(number, "2023-06-15", "2024-06-15", **cancelled))
        versions.append(version(number, "500"))
        if number <= 840:
            terms.append(following(number + 2000, of=number))
            versions.append(version(number + 2000, "525"))
    row = cohorts(terms, versions)["(all)", "(all)"]
    assert (row.expiring, str(row.expiring_premium)) == (1000, "500000.00")
    assert (row.renewed, str(row.renewed_premium)) == (840, "441000.00")
    assert str(row.expiring_premium_of_renewed) == "420000.00"
    assert f"{row.renewal_ratio:.1%} {row.lapse_ratio:.1%}" == "84.0% 16.0%"
    assert f"{row.premium_retention:.1%} {row.rate_change_on_renewed:+.1%}" == "88.2% +5.0%"
    assert f"{row.retention_12m:.1%}" == "80.0%"
    assert (str(row.expiry_month), row.mature) == ("2024-06-01", True)


@pytest.mark.parametrize(
    ("status", "more", "renewed"),
    [
        ("BOUND", {}, 1),
        ("LAPSED", {}, 1),
        ("CANCELLED", {"cancelled_on": "2024-08-01"}, 1),
        ("CANCELLED", {"cancelled_on": "2024-06-15"}, 0),  # from its first day
        ("QUOTED", {}, 0),
        ("DECLINED", {}, 0),
        ("NOT_TAKEN", {}, 0),
        ("IN_FORCE", {"bound_at": "2025-02-01T09:00"}, 0),  # after the valuation
    ],
)
def test_an_offer_is_no_renewal(
    cohorts: Cohorts, status: str, more: dict[str, Any], renewed: int
) -> None:
    terms = [term(1, "2023-06-15", "2024-06-15"), following(2, of=1, status=status, **more)]
    row = cohorts(terms, [])["(all)", "(all)"]
    assert (row.expiring, row.renewed) == (1, renewed)


def test_every_factor_adds_up_to_the_whole_and_unknown_is_a_level(cohorts: Cohorts) -> None:
    terms = [
        term(1, "2023-06-15", "2024-06-15", agent_id=7, payment_plan="ANNUAL"),
        term(2, "2023-06-20", "2024-06-20", agent_id=99, term_no=4),
        following(3, of=1),
        term(4, "2023-06-20", "2024-06-20", status="QUOTED"),
        term(5, "2024-06-20", "2025-06-20"),  # ends after the valuation
    ]
    rows = cohorts(terms, [version(1, "400"), version(3, "399"), version(3, "441", 2)])
    levels = {factor: {level for f, level in rows if f == factor} for factor, _ in rows}
    assert levels == {
        "(all)": {"(all)"}, "policy_type": {"MOTOR"}, "channel": {"BROKER", "UNKNOWN"},
        "region_code": {"R1", "UNKNOWN"}, "payment_plan": {"ANNUAL", "UNKNOWN"},
        "tenure_years": {"1", "4"}, "price_change_band": {"110-119", "UNKNOWN"},
    }  # fmt: skip
    for factor in levels:
        parts = [row for (name, _), row in rows.items() if name == factor]
        assert sum(row.expiring for row in parts) == 2
        assert sum(row.renewed for row in parts) == 1
        assert sum(row.renewed_premium for row in parts) == 441


def test_a_month_of_cancelled_terms_has_no_ratio_of_expiring_ones(cohorts: Cohorts) -> None:
    rows = cohorts([term(1, "2023-12-02", "2024-12-02", cancelled_on="2024-01-01")], [])
    row = rows["(all)", "(all)"]
    assert (row.expiring, row.renewal_ratio, row.lapse_ratio, row.retention_12m) == (
        0,
        None,
        None,
        0,
    )
    assert (row.premium_retention, row.rate_change_on_renewed) == (None, None)
    assert (row.retention_12m, row.mature) == (0, False)


def test_without_terms_there_are_no_cohorts(cohorts: Cohorts) -> None:
    assert cohorts([], []) == {}
