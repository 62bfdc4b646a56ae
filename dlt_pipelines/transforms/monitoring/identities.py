"""Figures that several tables give and that must agree: written premium, claims paid, exposure.

A difference is a fault of a formula or of a join, which a rule that looks at one row cannot see.
Amounts must agree to the cent; where a table rounds each of its rows, a cent is allowed for every
row, and a millionth of a sum of floating-point numbers.
Source: insurance model (b), the checks at its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_NOTHING = "0"
_A_CENT_A_ROW = "0.01 * count(*)"
_A_MILLIONTH = "1e-6 * sum(abs(exposure))"


@dataclass(frozen=True)
class Figures:
    """Aggregates of a table by the name of the figure, over `rows`, one value for each `part`.

    `by` are columns of which every value must give the figure anew, such as the factors of
    gold_oneway. `rounding` says what rounding may make of a figure, where that is not nothing.
    """

    table: str
    aggregates: Mapping[str, str]
    rows: str = "true"
    part: str = "'(all)'"
    by: tuple[str, ...] = ()
    rounding: Mapping[str, str] = field(default_factory=dict)


_AT_VALUATION = "valuation_date = valuation"
_AT_YEAR_END = "make_date(calendar_year, 12, 31) <= valuation"
_UNEARNED = "sum(if(month = trunc(valuation, 'MM'), unearned_premium_end, 0))"
_OF_A_YEAR = "sum(if(accident_year IS NULL, 0, incurred))"

FIGURES: tuple[Figures, ...] = (
    Figures(
        "premium_ledger",
        {
            "written premium": "sum(amount)",
            "earned and unearned premium": "sum(amount)",
            "premium tax": "sum(tax_amount)",
            "commission": "sum(commission_amount)",
        },
        rows="booked_on <= valuation",
    ),
    Figures(
        "gold_premium_month",
        {
            "written premium": "sum(written_premium)",
            "earned and unearned premium": f"sum(earned_premium) + {_UNEARNED}",
            "premium tax": "sum(tax)",
            "commission": "sum(commission)",
        },
        rounding={"earned and unearned premium": _A_CENT_A_ROW},
    ),
    Figures(
        "gold_agent_scorecard",
        {
            "written premium": "sum(written_premium)",
            "commission": "sum(commission)",
            "incurred": "sum(incurred)",
            "claims": "sum(claims)",
        },
    ),
    Figures(
        "gold_glm_exposure",
        {
            "written premium": "sum(written_premium)",
            "incurred": "sum(incurred)",
            "claims": "sum(claim_count)",
            "exposure": "sum(exposure)",
        },
        rounding={"exposure": _A_MILLIONTH},
    ),
    Figures(
        "gold_oneway",
        {
            "incurred": "sum(incurred)",
            "claims": "sum(claim_count)",
            "exposure": "sum(exposure)",
        },
        by=("factor",),
        rounding={"incurred": _A_CENT_A_ROW, "exposure": _A_MILLIONTH},
    ),
    Figures(
        "gold_actual_expected",
        {"claims": "sum(actual_claims)", "exposure": "sum(exposure)"},
        by=("factor",),
        rounding={"exposure": _A_MILLIONTH},
    ),
    Figures(
        "gold_exposure_segment", {"exposure": "sum(exposure)"}, rounding={"exposure": _A_MILLIONTH}
    ),
    Figures(
        "gold_claim_kpi",
        {"incurred": "sum(incurred)", "claims": "sum(reported)"},
        rows="segment <> 'ALL'",
    ),
    Figures(
        "gold_claim_position",
        {
            "incurred": _OF_A_YEAR,
            "claims": "count_if(reported_on <= valuation)",
            "paid": "sum(paid)",
            "recovered": "sum(recovered)",
        },
        rows=_AT_VALUATION,
    ),
    Figures(
        "gold_reserve_movement",
        {
            "paid": "sum(paid)",
            "recovered": "sum(recovered)",
            "change of case reserves": "sum(reserve_change)",
        },
        rows="segment <> 'ALL'",
    ),
    Figures(
        "claim_ledger",
        {
            "paid": "sum(if(txn_type = 'PAYMENT', amount, 0))",
            "recovered": "sum(if(txn_type = 'RECOVERY', amount, 0))",
            "change of case reserves": "sum(if(txn_type = 'RESERVE', amount, 0))",
        },
        rows="accounting_date <= valuation",
    ),
    Figures(
        "triangle_claim",
        {"paid by accident year": "sum(paid)", "incurred by accident year": "sum(incurred)"},
        rows=_AT_VALUATION,
        part="accident_year",
    ),
    Figures(
        "gold_triangle",
        {
            "paid by accident year": "sum(if(measure = 'paid', incremental, 0))",
            "incurred by accident year": "sum(if(measure = 'incurred', incremental, 0))",
        },
        rows="segment = 'ALL'",
        part="origin_year",
    ),
    Figures(
        "gold_inforce_movement",
        {
            "policies in force": "sum(closing_in_force)",
            "premium in force": "sum(closing_premium)",
        },
        rows=_AT_YEAR_END,
        part="concat(calendar_year, ' ', policy_type)",
    ),
    Figures(
        "gold_inforce_month_end",
        {"policies in force": "sum(policies)", "premium in force": "sum(in_force_premium)"},
        rows="month(month_end) = 12",
        part="concat(year(month_end), ' ', policy_type)",
    ),
)


def identities(tables: Mapping[str, DataFrame], latest: DataFrame) -> DataFrame:
    """One row per figure and part: the `lowest` and `highest` value, and whether they agree.

    A part that one of the tables does not have is zero there.

    Args:
        tables: those of FIGURES, by their name.
        latest: the latest `valuation_date`, one row.
    """
    valuation = F.broadcast(latest.selectExpr("valuation_date AS valuation"))
    values = [_values(tables[figures.table].crossJoin(valuation), figures) for figures in FIGURES]
    expected = Counter(name for figures in FIGURES for name in figures.aggregates)
    missing = " OR ".join(
        f"figure = '{name}' AND size(tables) < {count}" for name, count in expected.items()
    )
    compared = (
        reduce(DataFrame.unionByName, values)
        .groupBy("figure", "part")
        .agg(
            F.collect_set("table").alias("tables"),
            F.min("value").alias("_min"),
            F.max("value").alias("_max"),
            F.max("rounding").alias("rounding"),
        )
        .withColumns(
            {
                "lowest": F.expr(f"if({missing}, least(_min, 0), _min)"),
                "highest": F.expr(f"if({missing}, greatest(_max, 0), _max)"),
            }
        )
    )
    return compared.selectExpr(
        "figure",
        "part",
        "lowest",
        "highest",
        "CAST(highest - lowest AS DECIMAL(18,2)) AS difference",
        "highest - lowest <= rounding AS agrees",
        "array_sort(tables) AS tables",
    )


def _values(rows: DataFrame, figures: Figures) -> DataFrame:
    """The figures of one table: `table`, `figure`, `part`, `value`, `rounding`."""
    aggregates = [
        F.expr(text).alias(alias)
        for number, (name, value) in enumerate(figures.aggregates.items())
        for alias, text in (
            (f"value_{number}", f"CAST(coalesce({value}, 0) AS DECIMAL(28,6))"),
            (f"rounding_{number}", f"CAST({figures.rounding.get(name, _NOTHING)} AS DOUBLE)"),
        )
    ]
    stacked = ", ".join(
        f"'{name}', value_{number}, rounding_{number}"
        for number, name in enumerate(figures.aggregates)
    )
    part = F.expr(f"CAST({figures.part} AS STRING)").alias("part")
    summed = rows.where(figures.rows).groupBy(part, *figures.by).agg(*aggregates)
    return summed.selectExpr(
        f"'{figures.table}' AS table",
        "part",
        f"stack({len(figures.aggregates)}, {stacked}) AS (figure, value, rounding)",
    )
