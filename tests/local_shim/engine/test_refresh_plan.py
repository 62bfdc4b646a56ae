"""What decides whether a materialized view is computed, without Spark."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from local_shim.engine.refresh_plan import IssueType, RefreshPlan, plan_refresh
from local_shim.engine.update_context import UpdateContext
from local_shim.graph.elements import Dataset, DatasetKind, QueryFlow, SourceLocation
from local_shim.graph.graph import Graph, ResolvedFlow
from local_shim.graph.names import Namespace, TableName
from local_shim.storage import Storage, TableRecord

NAME = TableName("main", "default", "total")
WHERE = SourceLocation("pipeline.py", 1)
FLOW = ResolvedFlow(QueryFlow(str(NAME), NAME, lambda: None, WHERE), (), StructType(), False)


def commit(folder: Path, version: int) -> None:
    log = folder / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    (log / f"{version:020}.json").touch()


class View:
    """The view `total`, computed from a table of the storage and one elsewhere."""

    def __init__(self, folder: Path):
        self.storage = Storage(folder / "storage", "shop")
        self.orders = self.storage.table(TableName("main", "default", "orders"))
        self.elsewhere = folder / "elsewhere"
        for table in (self.orders, self.elsewhere):
            commit(table, 0)

    def compute(self, fingerprint: str = "digest") -> None:
        inputs = {str(self.orders): 0, str(self.elsewhere): 0}
        kind = DatasetKind.MATERIALIZED_VIEW.value
        self.storage.remember(TableRecord(str(NAME), kind, "shop", False, fingerprint, inputs))
        commit(self.storage.table(NAME), 0)

    def plan(
        self, digest: str = "digest", kind: DatasetKind = DatasetKind.MATERIALIZED_VIEW
    ) -> RefreshPlan | None:
        graph = Graph({NAME: Dataset(NAME, kind, WHERE)}, (FLOW,))
        spark = cast(SparkSession, None)
        context = UpdateContext(spark, self.storage, Namespace("main", "default"), graph=graph)
        return plan_refresh(context, FLOW, digest)


@pytest.fixture
def view(tmp_path: Path) -> View:
    return View(tmp_path)


def issue(plan: RefreshPlan | None) -> IssueType | None:
    assert plan is not None
    return plan.issue


def reason(plan: RefreshPlan | None) -> str:
    assert plan is not None and plan.reason is not None
    return plan.reason


def test_a_view_is_computed_once_and_again_when_it_must_be(view: View) -> None:
    assert issue(view.plan()) is IssueType.NOT_COMPUTED
    view.compute()
    assert issue(view.plan()) is None
    assert issue(view.plan("another digest")) is IssueType.QUERY_CHANGED
    view.compute(fingerprint="")
    assert issue(view.plan()) is IssueType.NOT_DETERMINISTIC


def test_a_full_refresh_is_due_until_it_ends(view: View) -> None:
    view.compute()
    view.storage.begin_reset(NAME)
    assert issue(view.plan()) is IssueType.FULL_REFRESH
    view.storage.end_reset(NAME)
    assert issue(view.plan()) is None


def test_changed_inputs_are_named_with_their_versions(view: View) -> None:
    view.compute()
    commit(view.elsewhere, 1)
    assert reason(view.plan()) == "changed since it was computed: elsewhere (version 0 to 1)"
    commit(view.orders, 1)
    commit(view.orders, 2)
    assert reason(view.plan()).endswith("orders (version 0 to 2), elsewhere (version 0 to 1)")
    plan = view.plan()
    assert plan is not None
    sources = plan.details()["source_table_information"]
    orders = {"table_name": "main.default.orders", "version": 2, "computed_from_version": 0}
    assert sources == [orders, {**orders, "table_name": str(view.elsewhere), "version": 1}]


def test_only_materialized_views_have_a_plan(view: View) -> None:
    assert view.plan(kind=DatasetKind.STREAMING_TABLE) is None
