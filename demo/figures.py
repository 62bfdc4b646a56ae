"""The figures of an insurer after an update."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table

from demo.place import Place
from local_shim.events.journal import events
from local_shim.query.catalog import default_namespace
from local_shim.query.storage_session import reading
from local_shim.report.update_view import RuleCounts, UpdateView
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


_LAYERS = ("bronze", "silver", "quarantine", "gold")


def show(place: Place, console: Console) -> None:
    """Prints rows per layer, premium and loss ratios, business in force, claims and quality."""
    storage = Storage(place.storage, "insurance")
    view = UpdateView(events(storage, None, None, None))
    _section(console, "Rows of this update", _layers(view))
    _quality(console, view)
    with reading(storage, default_namespace(storage), of_files=True) as spark:
        _section(console, "Premium and loss ratio", _table(_LOSS_RATIOS, spark))
        _section(console, "In force at the last month end", _table(_IN_FORCE, spark))
        _section(console, "Claims at the valuation date", _table(_OPEN_CLAIMS, spark))
    console.print()


def _section(console: Console, title: str, table: Table) -> None:
    console.print(f"\n[bold]{title}[/]")
    console.print(table)


def _layers(view: UpdateView) -> Table:
    """What this update wrote, by the layer that starts the name of a table."""
    table = _empty("layer", "tables", "written", "deleted")
    for layer in _LAYERS:
        flows = [
            flow
            for flow in view.flows.values()
            if flow.metrics and flow.dataset.split(".")[-1].startswith(f"{layer}_")
        ]
        written, deleted = (sum(f.written for f in flows), sum(f.deleted for f in flows))
        table.add_row(layer, f"{len(flows)}", f"{written:,}", f"{deleted:,}")
    return table


def _quality(console: Console, view: UpdateView) -> None:
    """The rules that some row of this update broke."""
    total: dict[tuple[str, str], RuleCounts] = {}
    for flow in view.flows.values():
        for (dataset, rule), counts in flow.rules.items():
            entry = total.setdefault((dataset.split(".")[-1], rule), RuleCounts())
            entry.passed += counts.passed
            entry.failed += counts.failed
    broken = {key: counts for key, counts in total.items() if counts.failed}
    table = _empty("dataset", "rule", "passed", "failed")
    for (dataset, rule), counts in sorted(broken.items()):
        table.add_row(dataset, rule, f"{counts.passed:,}", f"{counts.failed:,}")
    title = f"Data quality: {len(total)} rules checked, {len(broken)} broken by some row"
    console.print(f"\n[bold]{title}[/]")
    if broken:
        console.print(table)


def _empty(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="left" if name in _WORDS else "right")
    return table


_WORDS = ("layer", "dataset", "rule")


def _table(query: str, spark: SparkSession) -> Table:
    frame = spark.sql(query)
    table = _empty()
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
    return f"{value:,}" if isinstance(value, int | Decimal) and name != "year" else str(value)
