"""The figures that the pictures show, out of the gold tables. Money becomes a float to draw it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

Gold = Mapping[str, pd.DataFrame]  # by the name of the table
Figures = dict[str, list[dict[str, Any]]]
_FEWEST = 10  # expiring policies of a month whose retention is shown


def figures(gold: Gold) -> Figures:
    """The rows of each picture, as JSON has them."""
    return {name: _records(picture(gold)) for name, picture in _PICTURES.items()}


def _valuation(gold: Gold) -> pd.DataFrame:
    return pd.DataFrame({"day": [gold["ref_valuation"].valuation_date.max()]})


def _premium(gold: Gold) -> pd.DataFrame:
    months = gold["gold_premium_month"]
    years = months.assign(year=[month.year for month in months.month], line=months.policy_type)
    sums = years.groupby(["line", "year"], as_index=False).written_premium.sum()
    return sums.rename(columns={"written_premium": "written"})


def _claims(gold: Gold) -> pd.DataFrame:
    names = {"accident_year": "year", "segment": "line", "earned_premium": "earned"}
    rows = gold["gold_claim_kpi"].rename(columns=names).sort_values(["line", "year"])
    return rows[[*names.values(), "incurred", "reported", "open", "loss_ratio"]]


def _triangle(gold: Gold) -> pd.DataFrame:
    names = {"origin_year": "year", "dev_lag_months": "age", "cumulative": "cumulative"}
    rows = _all_incurred(gold["gold_triangle"]).rename(columns=names)
    return rows[[*names.values()]].sort_values(["year", "age"])


def _factors(gold: Gold) -> pd.DataFrame:
    factors = _all_incurred(gold["gold_ldf"])
    names = {"from_lag_months": "age", "ldf": "factor"}
    return factors[factors.selected].rename(columns=names)[[*names.values()]].sort_values("age")


def _ultimates(gold: Gold) -> pd.DataFrame:
    rows = _all_incurred(gold["gold_ultimate"]).rename(columns={"origin_year": "year"})
    return rows[["year", "ultimate", "ibnr"]].sort_values("year")


def _all_incurred(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[(rows.segment == "ALL") & (rows.measure == "incurred")]


def _movement(gold: Gold) -> pd.DataFrame:
    names = {
        "opening_in_force": "opening",
        "new_business": "new",
        "closing_in_force": "closing",
        "closing_premium": "premium",
    }
    same = ["reinstated", "cancelled", "lapsed", "surrendered", "claims"]
    rows = gold["gold_inforce_movement"].rename(columns={"calendar_year": "year", **names})
    return rows.groupby("year", as_index=False)[[*names.values(), *same]].sum()


def _retention(gold: Gold) -> pd.DataFrame:
    rows = gold["gold_retention_cohort"].rename(columns={"expiry_month": "month"})
    cohorts = rows[(rows.factor == "(all)") & rows.mature & (rows.expiring >= _FEWEST)]
    columns = ["month", "expiring", "renewed", "renewal_ratio", "premium_retention"]
    return cohorts[columns].sort_values("month")


def _fraud(gold: Gold) -> pd.DataFrame:
    return gold["gold_fraud_score"].groupby(["score", "band"]).size().reset_index(name="claims")


def _quality(gold: Gold) -> pd.DataFrame:
    names = {"table_name": "table", "amount_at_stake": "amount"}
    rows = gold["gold_dq_metric"].rename(columns=names).groupby(["table", "rule", "action"])
    sums = rows.agg(
        {"passed": "sum", "failed": "sum", "amount": lambda each: each.sum(min_count=1)}
    )
    return sums.reset_index().sort_values(
        ["failed", "table", "rule"], ascending=[False, True, True]
    )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Numbers, texts and None; dates as texts."""
    plain = rows.astype(object).where(rows.notna(), None)
    return [
        {
            name: value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in row.items()
        }
        for row in plain.to_dict("records")
    ]


_PICTURES: dict[str, Callable[[Gold], pd.DataFrame]] = {
    "valuation": _valuation,
    "premium": _premium,
    "claims": _claims,
    "triangle": _triangle,
    "factors": _factors,
    "ultimates": _ultimates,
    "movement": _movement,
    "retention": _retention,
    "fraud": _fraud,
    "quality": _quality,
}
