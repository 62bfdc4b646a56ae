"""The rows a model is trained on, and the policies that it must not see."""

from __future__ import annotations

import hashlib

import pandas as pd

KEY = ["coverage_id", "calendar_year", "segment_no"]
# Rating factors of gold_glm_exposure. No factor is a protected attribute or made from claims.
FACTORS = [
    "area_code", "region_code", "channel", "usage_code", "object_class", "power_class", "make",
    "fuel_type", "deductible", "payment_plan", "coverage", "driver_age_band", "vehicle_age_band",
    "ncd_band", "density_band", "tenure_band", "policy_type",
]  # fmt: skip
FIGURES = ["exposure", "claim_count", "incurred_capped"]
COLUMNS = [*KEY, "policy_number", *FACTORS, *FIGURES]


def exposed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with exposure, in the types that a model takes.

    Claims and premium that meet no exposure (segment_no 0) are in the sums of gold, not in a model.

    Raises:
        ValueError: A key stands in two rows, so that scores would multiply rows when joined back.
    """
    model_rows = rows.loc[rows["exposure"] > 0, COLUMNS].reset_index(drop=True)
    if model_rows.duplicated(KEY).any():
        raise ValueError(f"gold_glm_exposure has two rows with the same {', '.join(KEY)}")
    figures = {name: model_rows[name].astype(float) for name in FIGURES}
    factors = {name: model_rows[name].fillna("UNKNOWN").astype(str) for name in FACTORS}
    return model_rows.assign(**figures, **factors)


def is_holdout(policy_numbers: pd.Series, percent: int) -> pd.Series:
    """Which rows are kept for the test: all or none of a policy, by a hash of its number.

    Rows of one policy resemble each other; split by row, the test would know them already.
    """
    return policy_numbers.map(lambda number: _bucket(str(number)) < percent)


def _bucket(number: str) -> int:
    return int(hashlib.sha256(number.encode()).hexdigest(), 16) % 100
