"""The queries of docs/event-log.md, which are those of Databricks, by `dlt-local sql`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from local_shim.events.event import EventType
from tests.local_shim.cli.conftest import ORDERS, Shop

PAGE = (Path(__file__).parents[3] / "docs" / "event-log.md").read_text()
QUERIES = dict(
    re.findall(r"^#{2,3} ([^\n]+)\n[^#]*?```sql\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
)
LATEST_UPDATE = QUERIES.pop("Queries")


def answer(shop: Shop, heading: str) -> list[tuple[object, ...]]:
    """The rows of a query of the page."""
    query = QUERIES[heading]
    text = LATEST_UPDATE + query if "latest_update" in query else query
    result = shop.sql(text, "--format", "json")
    assert result.code == 0, result.err
    return [tuple(json.loads(line).values()) for line in result.lines]


def test_the_page_names_every_event() -> None:
    for event_type in EventType:
        assert f"| `{event_type}` |" in PAGE


@pytest.mark.dlt(119)
def test_data_quality_by_expectation(shop: Shop) -> None:
    dropped = sum(amount is None for _, _, amount, *_ in ORDERS)
    counts = (len(ORDERS) - dropped, dropped)
    rows = answer(shop, "Data quality by expectation")
    assert rows == [("main.default.orders", "has_amount", *counts)]


@pytest.mark.dlt(119)
def test_lineage(shop: Shop) -> None:
    names = {row[0]: row[1:] for row in answer(shop, "Lineage")}
    assert names["main.default.totals"] == ('["main.default.paid_orders"]', "MATERIALIZED_VIEW")
    assert names["main.default.paid_orders"] == ('["main.default.orders"]', "VIEW")
    assert names["main.default.customers"] == ('["main.default.orders"]', "CHANGE")


@pytest.mark.dlt(119)
def test_column_lineage(shop: Shop) -> None:
    sources = {
        (table, column): columns for table, column, columns in answer(shop, "Column lineage")
    }
    view = "main.default.paid_orders"
    assert sources["main.default.totals", "total"] == [f"{view}.amount"]
    assert sources["main.default.daily", "day"] == [f"{view}.at"]
    assert sources["main.default.customers", "place"] == ["main.default.orders.place"]
    assert sources["main.default.orders", "id"] == []


@pytest.mark.dlt(119)
def test_backlog_and_listings(shop: Shop) -> None:
    customers, orders = answer(shop, "Backlog")
    landed = (shop.folder / "landing" / "first.json").stat().st_size
    assert orders == ("main.default.orders", 1, landed)
    assert customers[:2] == ("main.default.customers", 1)
    assert answer(shop, "Auto Loader listings") == [("main.default.orders", "COMPLETED", 1)]


@pytest.mark.dlt(119)
def test_why_views_were_computed(shop: Shop) -> None:
    first = "computed for the first time"
    rows = answer(shop, "Why views were computed")
    assert rows == [("main.default.daily", first), ("main.default.totals", first)]


@pytest.mark.dlt(119)
def test_user_actions(shop: Shop) -> None:
    ((action, user),) = answer(shop, "User actions")
    assert action == "START" and user


@pytest.mark.dlt(119)
def test_state_and_duration_of_updates(shop: Shop) -> None:
    ((_, state, seconds),) = answer(shop, "State and duration of updates")
    assert state == "COMPLETED" and isinstance(seconds, int) and seconds >= 0
