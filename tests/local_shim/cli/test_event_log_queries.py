"""The queries that Databricks documents for the event log, in its own SQL, by `dlt-local sql`."""

from __future__ import annotations

import json

import pytest

from tests.local_shim.cli.conftest import ORDERS, Shop

LATEST = """
WITH latest_update AS (
  SELECT origin.update_id AS id FROM event_log
  WHERE event_type = 'create_update' ORDER BY timestamp DESC LIMIT 1
)
"""


def answer(shop: Shop, query: str) -> list[tuple[object, ...]]:
    """The rows of a query over the events of the latest update."""
    result = shop.sql(LATEST + query, "--format", "json")
    assert result.code == 0, result.err
    return [tuple(json.loads(line).values()) for line in result.lines]


@pytest.mark.dlt(119)
def test_data_quality_by_expectation(shop: Shop) -> None:
    query = """
        SELECT e.dataset, e.name, SUM(e.passed_records), SUM(e.failed_records) FROM (
          SELECT explode(from_json(
            details:flow_progress:data_quality:expectations,
            "array<struct<name: string, dataset: string, passed_records: int, failed_records: int>>"
          )) AS e
          FROM event_log, latest_update
          WHERE event_type = 'flow_progress' AND origin.update_id = latest_update.id)
        GROUP BY e.dataset, e.name
    """
    dropped = sum(amount is None for _, _, amount, *_ in ORDERS)
    counts = (len(ORDERS) - dropped, dropped)
    assert answer(shop, query) == [("main.default.orders", "has_amount", *counts)]


@pytest.mark.dlt(119)
def test_lineage(shop: Shop) -> None:
    query = """
        SELECT details:flow_definition.output_dataset AS output,
          details:flow_definition.input_datasets AS inputs, details:flow_definition.flow_type
        FROM event_log, latest_update
        WHERE details:flow_definition IS NOT NULL AND origin.update_id = latest_update.id
        ORDER BY output
    """
    names = {row[0]: row[1:] for row in answer(shop, query)}
    assert names["main.default.totals"] == ('["main.default.paid_orders"]', "MATERIALIZED_VIEW")
    assert names["main.default.paid_orders"] == ('["main.default.orders"]', "VIEW")
    assert names["main.default.customers"] == ('["main.default.orders"]', "CHANGE")


@pytest.mark.dlt(119)
def test_backlog_and_listings(shop: Shop) -> None:
    query = """
        SELECT DISTINCT origin.dataset_name, bigint(details:flow_progress.metrics.backlog_files),
          bigint(details:flow_progress.metrics.backlog_bytes) > 0
        FROM event_log, latest_update
        WHERE details:flow_progress.metrics.backlog_bytes IS NOT NULL
          AND origin.update_id = latest_update.id
        ORDER BY 1
    """
    expected = [("main.default.customers", 1, True), ("main.default.orders", 1, True)]
    assert answer(shop, query) == expected
    query = """
        SELECT details:operation_progress.status, bigint(
          details:operation_progress.auto_loader_details.num_files_listed)
        FROM event_log, latest_update
        WHERE details:operation_progress.type = 'AUTO_LOADER_LISTING'
          AND origin.update_id = latest_update.id AND origin.flow_name = 'main.default.orders'
    """
    assert answer(shop, query) == [("COMPLETED", 1)]


@pytest.mark.dlt(119)
def test_user_actions(shop: Shop) -> None:
    query = """
        SELECT details:user_action:action, details:user_action:user_name IS NOT NULL
        FROM event_log, latest_update
        WHERE event_type = 'user_action' AND origin.update_id = latest_update.id
    """
    assert answer(shop, query) == [("START", True)]


@pytest.mark.dlt(119)
def test_status_and_duration_of_updates(shop: Shop) -> None:
    query = """
        SELECT max_by(details:update_progress.state, timestamp),
          min(timestamp) FILTER (WHERE event_type = 'create_update') <= max(timestamp)
        FROM event_log, latest_update
        WHERE event_type IN ('create_update', 'update_progress')
          AND origin.update_id = latest_update.id
    """
    assert answer(shop, query) == [("COMPLETED", True)]
