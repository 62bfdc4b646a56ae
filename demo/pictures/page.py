"""Writes the page: one HTML file that opens without a server and sends no request."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from demo.pictures.queries import QUERIES
from demo.place import Place
from local_shim.query.catalog import default_namespace
from local_shim.query.storage_session import reading
from local_shim.report.html import page
from local_shim.storage import Storage

_STATIC = Path(__file__).parent / "static"


def write_pictures(place: Place) -> Path:
    """Reads the gold tables and writes the page beside the storage; gives its path."""
    storage = Storage(place.storage, "insurance")
    with reading(storage, default_namespace(storage), by_kernel=True) as spark:
        results = {name: spark.sql(query).collect() for name, query in QUERIES.items()}
    rows = {name: [_record(row.asDict()) for row in result] for name, result in results.items()}
    place.pictures.write_text(html(rows), encoding="utf-8")
    return place.pictures


def html(rows: dict[str, list[dict[str, Any]]]) -> str:
    """The page for the rows of each query."""
    script, style = ((_STATIC / name).read_text() for name in ("pictures.js", "pictures.css"))
    return page("The insurer in pictures", style, script, rows)


def _record(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """The value as JSON has it; a chart needs no more digits than a float has."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
