"""What an insurer wants to see after an update."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from demo.place import Place
from local_shim.query import default_namespace, reading
from local_shim.storage import Storage

_LOSS_RATIOS = """
    SELECT k.accident_year AS year, k.segment AS policy_type, w.written, k.earned_premium AS earned,
           k.incurred, k.reported AS claims, 100 * k.loss_ratio AS loss_ratio
    FROM gold_claim_kpi k
    LEFT JOIN (SELECT year(month) AS year, policy_type, sum(written_premium) AS written
               FROM gold_premium_month GROUP BY 1, 2
               UNION ALL
               SELECT year(month), 'ALL', sum(written_premium) FROM gold_premium_month GROUP BY 1
              ) w ON w.year = k.accident_year AND w.policy_type = k.segment
    ORDER BY year, policy_type = 'ALL', policy_type
"""
_IN_FORCE = """
    SELECT policy_type, policies, vehicles, in_force_premium, month_end
    FROM gold_inforce_month_end
    WHERE month_end = (SELECT max(month_end) FROM gold_inforce_month_end)
    ORDER BY policy_type
"""
_OPEN_CLAIMS = """
    SELECT segment, count_if(status IN ('OPEN', 'REOPENED')) AS open_claims,
           sum(case_reserve) AS case_reserve, sum(paid) AS paid
    FROM gold_claim_position
    WHERE valuation_date = (SELECT max(valuation_date) FROM gold_claim_position)
    GROUP BY segment ORDER BY segment
"""


def show(place: Place, console: Console) -> None:
    """Prints rows per layer, premium and loss ratios, business in force, and open claims."""
    storage = Storage(place.storage, "insurance")
    with reading(storage, default_namespace(storage)) as spark:
        console.print()
        console.print(_table("Premium and loss ratio", _LOSS_RATIOS, spark))
        console.print(_table("In force at the last month end", _IN_FORCE, spark))
        console.print(_table("Claims at the valuation date", _OPEN_CLAIMS, spark))


def _table(title: str, query: str, spark: object) -> Table:
    frame = spark.sql(query)  # type: ignore[attr-defined]
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in frame.columns:
        numeric = frame.schema[name].dataType.typeName() in ("decimal", "long", "double")
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left")
    for row in frame.collect():
        table.add_row(*[_cell(name, row[name]) for name in frame.columns])
    return table


def _cell(name: str, value: object) -> str:
    if value is None:
        return "–"
    if name == "loss_ratio":
        return f"{value:.1f} %"
    return f"{value:,}" if not isinstance(value, str) and name != "year" else str(value)
