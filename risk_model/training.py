"""From the rows of gold_glm_exposure to scores, and to what they are worth on other policies."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from risk_model.data import KEY, exposed, is_holdout
from risk_model.deciles import by_decile
from risk_model.model import RiskModel, fit, relativities


@dataclass(frozen=True)
class Training:
    """What a training gives.

    `scores` has one row per row of gold_glm_exposure with exposure, with its key, so that a join
    back neither loses nor multiplies rows. `deciles` are of the policies the model has not seen.
    """

    model: RiskModel
    scores: pd.DataFrame
    deciles: pd.DataFrame
    relativities: pd.DataFrame


def train(rows: pd.DataFrame, holdout_percent: int = 30) -> Training:
    """Trains on most policies, tests on the others, and scores all.

    Args:
        rows: of gold_glm_exposure.
        holdout_percent: of the policies, 1 to 99.

    Raises:
        ValueError: No policies are left for the training or for the test.
    """
    model_rows = exposed(rows)
    in_holdout = is_holdout(model_rows["policy_number"], holdout_percent)
    if in_holdout.all() or not in_holdout.any():
        raise ValueError(f"a holdout of {holdout_percent} % leaves no policies on one side")
    model = fit(model_rows[~in_holdout])
    scored = model_rows.join(model.expected(model_rows)).assign(is_holdout=in_holdout)
    return Training(
        model,
        scored[[*KEY, "policy_number", "is_holdout", "expected_claims", "expected_incurred"]],
        by_decile(scored[in_holdout]),
        relativities(model),
    )
