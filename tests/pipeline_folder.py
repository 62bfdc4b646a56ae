"""A pipeline in a temporary folder, for tests that run one."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from local_shim.events.event import Event
from local_shim.graph.names import Namespace
from local_shim.graph.plan import Plan, RefreshSelection
from local_shim.pipeline_spec.load import from_files
from local_shim.report.update_view import FlowView, UpdateView
from local_shim.run import plan_only, run
from local_shim.update.request import Request


@dataclass
class Pipeline:
    """A pipeline in a temporary folder, run as the command line runs one."""

    folder: Path
    spark: SparkSession
    conf: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def write(self, source: str, file: str = "pipeline.py") -> None:
        """Writes (or edits) one of the pipeline's source files."""
        path = self.folder / "source" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(source))

    def request(self, **selection: Any) -> Request:
        source = self.folder / "source"
        kinds = [f"*{kind}" for kind in (".py", ".sql", ".ipynb") if any(source.glob(f"*{kind}"))]
        patterns = [str(source / kind) for kind in kinds or ["*.py"]]
        spec = from_files(patterns, "main", "default", {})
        spec = replace(spec, key="test", configuration={**spec.configuration, **self.conf})
        spec = replace(spec, parameters=self.parameters)
        storage = self.folder / "storage"
        return Request(spec, storage, RefreshSelection(**selection), self.paths)

    def update(self, **selection: Any) -> int:
        """The exit code of one update; its events replace those of the update before."""
        self.events = []
        request = replace(self.request(**selection), listeners=(self.events.append,))
        return run(request).exit_code

    def plan(self, **selection: Any) -> Plan:
        return plan_only(self.request(**selection))

    def path(self, name: str) -> Path:
        """The folder of a table."""
        full = Namespace("main", "default").qualify(name)
        return self.folder / "storage" / "tables" / full.catalog / full.schema / full.table

    def table(self, name: str) -> DataFrame:
        return self.spark.read.format("delta").load(str(self.path(name)))

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        """The table's rows, sorted, as tuples."""
        frame = self.table(name)
        selection = frame.select(*columns) if columns else frame
        return sorted((tuple(row) for row in selection.collect()), key=repr)

    @property
    def view(self) -> UpdateView:
        """The last update as its events tell it."""
        return UpdateView(json.loads(event.as_json()) for event in self.events)

    def flow(self, name: str) -> FlowView:
        """A flow of the last update."""
        return self.view.flows[str(Namespace("main", "default").qualify(name))]

    def status(self, flow: str) -> str:
        """The last status of a flow in the last update."""
        return self.flow(flow).status

    def progress(self) -> list[Event]:
        return [each for each in self.events if each.event_type == "flow_progress"]

    def errors(self) -> list[str]:
        """Messages of the update's errors."""
        return [str(e.error["exceptions"][0]["message"]) for e in self.events if e.error]

    def warnings(self) -> list[str]:
        return [each.message for each in self.events if each.level.value == "WARN"]

    def quality(self, flow: str) -> dict[str, Any]:
        """Dropped records and, by rule, passed and failed records of a flow in the last update."""
        view = self.flow(flow)
        rules = {rule: [counts.passed, counts.failed] for (_, rule), counts in view.rules.items()}
        return {"dropped_records": view.dropped, "expectations": rules}
