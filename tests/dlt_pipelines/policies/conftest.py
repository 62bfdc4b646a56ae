"""Terms and segments of contracts, and the segments on risk that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import DataFrame

from dlt_pipelines.transforms.risk import segments_on_risk

OnRisk = Callable[..., DataFrame]


def term(policy_id: int, start: str, end: str, **more: Any) -> dict[str, Any]:
    """A term of motor policy P<policy_id>, in force unless `more` says otherwise."""
    row = {"policy_id": policy_id, "policy_number": f"P{policy_id}", "term_no": 1}
    row |= {"policy_type": "MOTOR", "status": "IN_FORCE", "start_date": start, "end_date": end}
    return row | more


def cover(term: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A segment of 100 a year over a whole term."""
    row = {"coverage_id": term["policy_id"], "policy_id": term["policy_id"], "unit_count": 1}
    row |= {"coverage_code": "TPL", "annual_premium": "100"}
    row |= {"effective_from": term["start_date"], "effective_to": term["end_date"]}
    return row | more


@pytest.fixture
def on_risk(silver: Any) -> OnRisk:
    """`on_risk(terms, covers)`: segments on risk; a cover over each whole term by default."""

    def frame(terms: list[dict[str, Any]], covers: list[dict[str, Any]] | None = None) -> DataFrame:
        segments = [cover(term) for term in terms] if covers is None else covers
        return segments_on_risk(silver("coverage", *segments), silver("policy", *terms))

    return frame
