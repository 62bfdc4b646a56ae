"""The risk model finds known relativities, ranks policies it has not seen, and scores each once."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="the extra `ml` brings scikit-learn")

import numpy as np
import pandas as pd

from dlt_pipelines.transforms.pricing import factors
from risk_model import data
from risk_model.__main__ import write
from risk_model.deciles import by_decile
from risk_model.training import Training, train

TRUE_FREQUENCY = {"A": 1.0, "B": 2.0, "C": 0.5}
TRUE_SEVERITY = {"10": 1.0, "20": 1.5}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Twenty thousand policies of two years; makes and deductibles with known relativities."""
    chance = np.random.default_rng(7)
    policies = 20_000
    table = pd.DataFrame({"policy_number": [f"P{n}" for n in range(policies)]})
    table["make"] = chance.choice(list(TRUE_FREQUENCY), policies)
    table["deductible"] = chance.choice(list(TRUE_SEVERITY), policies)
    table = table.loc[table.index.repeat(2)].reset_index(drop=True)
    table["calendar_year"] = 2024 + table.index % 2
    table["coverage_id"], table["segment_no"] = table.index // 2, 1
    table["exposure"] = chance.uniform(0.2, 1.0, len(table))
    mean = 0.15 * table["make"].map(TRUE_FREQUENCY) * table["exposure"]
    table["claim_count"] = chance.poisson(mean)
    cost = chance.gamma(2.0, 500.0 * table["deductible"].map(TRUE_SEVERITY))
    table["incurred_capped"] = cost * table["claim_count"]
    others = dict.fromkeys(set(data.FACTORS) - {"make", "deductible"}, "UNKNOWN")
    unexposed = pd.DataFrame(
        {"coverage_id": [None], "calendar_year": [2024], "segment_no": [0], "exposure": [0.0]}
    )
    return pd.concat([table.assign(**others), unexposed], ignore_index=True)


@pytest.fixture(scope="module")
def training(rows: pd.DataFrame) -> Training:
    return train(rows)


def test_the_relativities_of_the_data_are_found(training: Training) -> None:
    levels = training.relativities
    frequency, severity = levels["frequency"], levels["severity"]
    assert frequency["make_B"] / frequency["make_A"] == pytest.approx(2.0, rel=0.10)
    assert frequency["make_C"] / frequency["make_A"] == pytest.approx(0.5, rel=0.15)
    assert severity["deductible_20"] / severity["deductible_10"] == pytest.approx(1.5, rel=0.08)
    assert frequency["deductible_20"] / frequency["deductible_10"] == pytest.approx(1, rel=0.10)


def test_deciles_of_policies_it_has_not_seen_rise_and_are_level(training: Training) -> None:
    deciles = training.deciles
    assert list(deciles.index) == list(range(1, 11))
    assert deciles["lift"].iloc[-1] / deciles["lift"].iloc[0] > 3
    assert deciles["ae_claims"].between(0.75, 1.3).all()
    whole = deciles.sum()
    assert whole["claim_count"] / whole["expected_claims"] == pytest.approx(1, abs=0.06)
    assert whole["incurred_capped"] / whole["expected_incurred"] == pytest.approx(1, abs=0.08)


def test_a_policy_is_on_one_side_and_its_training_total_is_reproduced(
    rows: pd.DataFrame, training: Training
) -> None:
    sides = training.scores.groupby("policy_number")["is_holdout"].nunique()
    assert set(sides) == {1}
    assert training.scores["is_holdout"].mean() == pytest.approx(0.30, abs=0.02)
    learned = training.scores[~training.scores["is_holdout"]].merge(rows, on=data.KEY)
    assert learned["expected_incurred"].sum() == pytest.approx(learned["incurred_capped"].sum())


def test_scores_join_back_row_by_row(
    rows: pd.DataFrame, training: Training, tmp_path: Path
) -> None:
    write(training, tmp_path)
    scores = pd.read_parquet(tmp_path / "risk_score.parquet")
    joined = rows.merge(scores, on=data.KEY, how="left", validate="one_to_one")
    assert len(joined) == len(rows)
    assert joined["expected_claims"].notna().sum() == (rows["exposure"] > 0).sum()
    assert {path.name for path in tmp_path.iterdir()} == {
        "risk_score.parquet", "deciles.csv", "relativities.csv",
    }  # fmt: skip


def test_what_cannot_be_modelled_is_said(rows: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="two rows with the same coverage_id"):
        train(pd.concat([rows, rows]))
    with pytest.raises(ValueError, match="no policies on one side"):
        train(rows, holdout_percent=0)
    with pytest.raises(ValueError, match="no claim with an amount"):
        train(rows.assign(claim_count=0))


def test_a_decile_without_claims_has_no_ratio() -> None:
    nothing = pd.DataFrame(dict.fromkeys(("claim_count", "incurred_capped"), [0.0] * 10))
    scored = nothing.assign(exposure=1.0, expected_claims=0.0, expected_incurred=range(10))
    assert by_decile(scored)["ae_claims"].isna().all()


def test_the_factors_are_those_of_the_table() -> None:
    assert set(data.FACTORS) == {*factors.FACTORS, "policy_type"}
