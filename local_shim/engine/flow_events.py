"""Writes the events of one flow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from pyspark.sql.streaming.listener import StreamingQueryProgress

from local_shim.engine.refresh_plan import RefreshPlan
from local_shim.engine.streaming.backlog import Backlog, Listing
from local_shim.events.event import EventType, FlowStatus, Level
from local_shim.events.log import EventLog
from local_shim.graph.names import TableName
from local_shim.storage import Storage

_ROW_COUNTS = ("numInputRows", "inputRowsPerSecond", "processedRowsPerSecond")


class FlowEvents:
    """The events of one flow, with its names and ids in their origin."""

    def __init__(self, log: EventLog, storage: Storage, flow: str, target: TableName):
        self._log = log
        self._storage = storage
        self._flow = flow
        self._target = target
        self._warnings: set[str] = set()

    @cached_property
    def flow_id(self) -> str:
        """Stays over updates and changes with a full refresh (behaviour 122)."""
        return self._storage.flow_id(self._target, self._flow)

    def status(
        self,
        status: FlowStatus,
        message: str = "",
        error: BaseException | None = None,
        **details: Any,
    ) -> None:
        """Where the flow stands; `details` may hold metrics and data_quality."""
        self._log.flow(
            self._flow,
            status,
            message,
            error,
            flow_id=self.flow_id,
            dataset_name=str(self._target),
            **details,
        )

    def warn(self, message: str) -> None:
        """Warns once, whatever the number of attempts."""
        if message not in self._warnings:
            self._warnings.add(message)
            target = str(self._target)
            self._log.warn(message, flow_id=self.flow_id, flow_name=self._flow, dataset_name=target)

    def up_to_date(self) -> None:
        """The rows of a materialized view are those of its query."""
        self.status(FlowStatus.COMPLETED, f"Flow '{self._flow}' is up to date.")

    def ran_before(self) -> None:
        """A once flow does not run again."""
        self.status(FlowStatus.SKIPPED, f"Flow '{self._flow}' ran in an earlier update.")

    def idle(self) -> None:
        """A stream has read all that is there."""
        self.status(FlowStatus.IDLE, f"Flow '{self._flow}' has no new data.")

    def plan(self, refresh: RefreshPlan) -> None:
        """How a materialized view is brought up to date, and why."""
        technique = refresh.technique.removeprefix("MAINTENANCE_TYPE_")
        reason = refresh.reason or "up to date"
        message = f"Flow '{self._flow}' is planned as {technique}: {reason}."
        self._write(EventType.PLANNING_INFORMATION, message, refresh.details())

    def listings(self, listings: Iterable[Listing]) -> None:
        """What Auto Loader found in its source folders."""
        for listing in listings:
            self._write(
                EventType.OPERATION_PROGRESS,
                f"Flow '{self._flow}' listed {listing.files} files in {listing.path}.",
                {
                    "type": "AUTO_LOADER_LISTING",
                    "status": "COMPLETED",
                    "duration_ms": listing.milliseconds,
                    "auto_loader_details": {
                        "source_path": listing.path,
                        "num_files_listed": listing.files,
                    },
                },
            )

    def backlog(self, sources: Sequence[Backlog], tuning: Mapping[str, str]) -> None:
        """What a stream has to read when it starts, and the Spark settings for so many files."""
        if not sources:
            return
        by_source = [
            {"source_name": each.source, "backlog_bytes": each.size, "backlog_files": each.files}
            for each in sources
        ]
        metrics = {
            "backlog_bytes": sum(each.size for each in sources),
            "backlog_files": sum(each.files for each in sources),
            "source_metrics": by_source,
        }
        details: dict[str, Any] = {"tuning": dict(tuning)} if tuning else {}
        self.status(FlowStatus.RUNNING, metrics=metrics, **details)

    def batches(self, progress: Iterable[StreamingQueryProgress]) -> None:
        """What Spark says of each micro-batch, without its row counts, as on Databricks."""
        for batch in progress:
            self._write(
                EventType.STREAM_PROGRESS,
                f"Flow '{self._flow}' ended micro-batch {batch.batchId}.",
                {"progress_json": json.dumps(_without_row_counts(json.loads(batch.json)))},
                level=Level.METRICS,
                batch_id=batch.batchId,
            )

    def _write(
        self,
        event_type: EventType,
        message: str,
        details: Mapping[str, Any],
        level: Level = Level.INFO,
        **origin: Any,
    ) -> None:
        self._log.write(
            event_type,
            message,
            details,
            level=level,
            flow_id=self.flow_id,
            flow_name=self._flow,
            dataset_name=str(self._target),
            **origin,
        )


def _without_row_counts(values: Mapping[str, Any]) -> dict[str, Any]:
    sources = [
        {key: value for key, value in source.items() if key not in _ROW_COUNTS}
        for source in values["sources"]
    ]
    other_values = {key: value for key, value in values.items() if key not in _ROW_COUNTS}
    return {**other_values, "sources": sources}
