"""How well a model ranks and how well it levels: ten groups of equal exposure."""

from __future__ import annotations

import numpy as np
import pandas as pd

SUMS = ["exposure", "claim_count", "expected_claims", "incurred_capped", "expected_incurred"]


def by_decile(scored: pd.DataFrame) -> pd.DataFrame:
    """One row per decile of the expected pure premium, 1 = the best risks.

    `ae_claims` and `ae_incurred` = actual / expected; `lift` = actual pure premium of the decile /
    that of all rows. Every ratio is a sum over a sum, and missing over zero.

    Args:
        scored: rows of `data.exposed` with the columns of `RiskModel.expected`.
    """
    premium = scored["expected_incurred"] / scored["exposure"]
    ordered = scored.assign(premium=premium).sort_values("premium", kind="stable")
    share = ordered["exposure"].cumsum() / ordered["exposure"].sum()
    decile = np.minimum(np.ceil(share * 10 - 1e-9).astype(int), 10)
    table = ordered.groupby(decile.rename("decile"))[SUMS].sum()
    whole = _ratio(scored["incurred_capped"].sum(), scored["exposure"].sum())
    return table.assign(
        ae_claims=_ratio(table["claim_count"], table["expected_claims"]),
        ae_incurred=_ratio(table["incurred_capped"], table["expected_incurred"]),
        lift=_ratio(_ratio(table["incurred_capped"], table["exposure"]), whole),
    )


def _ratio(top: pd.Series | float, bottom: pd.Series | float) -> pd.Series | float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(top, np.where(np.asarray(bottom) == 0, np.nan, bottom))
