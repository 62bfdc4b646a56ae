"""Writes the page: one HTML file that opens without a server and sends no request."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow

from demo.pictures.figures import Figures, figures
from demo.place import Place
from local_shim.query.first_rows import read_tables
from local_shim.report.html import page
from local_shim.storage import Storage

_STATIC = Path(__file__).parent / "static"
_TABLES = (
    "ref_valuation",
    "gold_premium_month",
    "gold_claim_kpi",
    "gold_triangle",
    "gold_ldf",
    "gold_ultimate",
    "gold_inforce_movement",
    "gold_retention_cohort",
    "gold_fraud_score",
    "gold_dq_metric",
)


def write_pictures(place: Place) -> Path:
    """Reads each gold table once, without Spark, and writes the page; gives its path."""
    tables = read_tables(Storage(place.storage, "insurance"), _TABLES)
    gold = {name: _frame(table) for name, table in tables.items()}
    place.pictures.write_text(html(figures(gold)), encoding="utf-8")
    return place.pictures


def html(rows: Figures) -> str:
    """The page for the rows of each picture."""
    script, style = ((_STATIC / name).read_text() for name in ("pictures.js", "pictures.css"))
    return page("The insurer in pictures", style, script, rows)


def _frame(table: pyarrow.Table) -> pd.DataFrame:
    """The rows with decimals as floats."""
    fields = [
        field.with_type(pyarrow.float64()) if pyarrow.types.is_decimal(field.type) else field
        for field in table.schema
    ]
    return table.cast(pyarrow.schema(fields)).to_pandas()
