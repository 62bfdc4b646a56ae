"""Claim frequency by a Poisson model, claim severity by a Gamma model, both with a log link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import GammaRegressor, PoissonRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from risk_model.data import FACTORS

FEWEST_ROWS = 20  # a level with fewer rows is put together with the other rare ones
PENALTY = 1e-4  # of the squared coefficients: enough for levels that say the same thing twice


@dataclass(frozen=True)
class RiskModel:
    """Two fitted models. `balance` makes the expected amount of the training rows the actual one.

    The severity model sees claims with an amount only, and a Gamma model with a log link does not
    reproduce a total by itself; the balance corrects both.
    """

    frequency: Pipeline
    severity: Pipeline
    balance: float

    def expected(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`expected_claims` and `expected_incurred` (capped) of each row, in its order."""
        claims = self.frequency.predict(rows) * rows["exposure"].to_numpy()
        amounts = claims * self.severity.predict(rows) * self.balance
        return pd.DataFrame(
            {"expected_claims": claims, "expected_incurred": amounts}, index=rows.index
        )


def fit(rows: pd.DataFrame) -> RiskModel:
    """Fits both models on rows of `data.exposed`.

    Raises:
        ValueError: No row has a claim with an amount.
    """
    costly = rows[(rows["claim_count"] > 0) & (rows["incurred_capped"] > 0)]
    if costly.empty:
        raise ValueError("no claim with an amount to learn from")
    frequency = _pipeline(PoissonRegressor(alpha=PENALTY, max_iter=1000)).fit(
        rows,
        rows["claim_count"] / rows["exposure"],
        poissonregressor__sample_weight=rows["exposure"],
    )
    severity = _pipeline(GammaRegressor(alpha=PENALTY, max_iter=1000)).fit(
        costly,
        costly["incurred_capped"] / costly["claim_count"],
        gammaregressor__sample_weight=costly["claim_count"],
    )
    unbalanced = RiskModel(frequency, severity, 1.0).expected(rows)["expected_incurred"].sum()
    return RiskModel(frequency, severity, float(rows["incurred_capped"].sum() / unbalanced))


def relativities(model: RiskModel) -> pd.DataFrame:
    """exp(coefficient) of every level, against the average level, for frequency and severity."""
    tables = {
        "frequency": _coefficients(model.frequency),
        "severity": _coefficients(model.severity),
    }
    return pd.DataFrame({name: np.exp(each) for name, each in tables.items()})


def _coefficients(pipeline: Pipeline) -> pd.Series:
    names = pipeline[0].get_feature_names_out()
    return pd.Series(pipeline[-1].coef_, index=names)


def _pipeline(regressor: PoissonRegressor | GammaRegressor) -> Pipeline:
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=FEWEST_ROWS)
    columns = ColumnTransformer([("level", encoder, FACTORS)], verbose_feature_names_out=False)
    return make_pipeline(columns, regressor)
