"""`deploy-check --storage`: queries of a deployment against the tables of a local run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.local_shim.cli.command import Result, dlt_local
from tests.local_shim.cli.conftest import Shop

pytest.importorskip("databricks.sdk")

BUNDLE = """\
bundle: {name: shop}
targets: {dev: {}, prod: {}}
resources:
  pipelines:
    shop:
      name: shop-${bundle.target}
      catalog: ${bundle.target}
      schema: shop
      event_log: {catalog: dev, schema: shop, name: shop_log}
      libraries: [{file: {path: shop.py}}]
  jobs:
    check:
      name: check
      tasks:
        - {task_key: check, sql_task: {warehouse_id: "1", file: {path: check.sql}}}
  alerts:
    silence:
      display_name: silence
      warehouse_id: "1"
      query_text: SELECT max(at) AS newest FROM ${bundle.target}.shop.orders
      evaluation: {source: {name: newest}, comparison_operator: IS_NULL}
      schedule: {quartz_cron_schedule: "0 0 6 * * ?", timezone_id: UTC}
  dashboards:
    totals: {display_name: totals, warehouse_id: "1", file_path: totals.lvdash.json}
"""
SCRIPT = """\
USE CATALOG IDENTIFIER(:catalog);
WITH paid AS (SELECT * FROM orders WHERE customer = :customer) SELECT count(*) FROM paid;
SELECT u.usage_date FROM system.billing.usage AS u JOIN nowhere ON true;
SELECT details:flow_progress.status FROM shop_log;
"""


def checked(shop: Shop, folder: Path, column: str = "total") -> Result:
    """Checks a bundle whose dashboard reads this column of `totals`."""
    (folder / "databricks.yml").write_text(BUNDLE)
    (folder / "shop.py").touch()
    (folder / "check.sql").write_text(SCRIPT)
    dataset = {"name": "kpi", "query": f"SELECT totals.customer, {column} FROM totals"}
    (folder / "totals.lvdash.json").write_text(json.dumps({"datasets": [dataset]}))
    return dlt_local("deploy-check", "--bundle", folder, "--storage", shop.storage)


def test_queries_fit_whatever_catalog_the_target_has(shop: Shop, tmp_path: Path) -> None:
    result = checked(shop, tmp_path)
    assert (result.code, result.err) == (0, "")
    assert result.lines[-1] == f"4 queries fit the tables of {shop.storage}."


def test_wrong_columns_and_tables_are_reported_at_once(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "wrong").mkdir()
    result = checked(shop, tmp_path / "wrong", "totl")
    assert (result.code, "[UNRESOLVED_COLUMN.WITH_SUGGESTION]" in result.err) == (2, True)
    assert "databricks.yml:" in result.err
    result = checked(shop, tmp_path, "1 AS one, x.a FROM custmers AS x, totls AS y; SELECT 2")
    assert result.err.count("[TABLE_OR_VIEW_NOT_FOUND]") == 1
    assert "did you mean 'customers'" in result.err
