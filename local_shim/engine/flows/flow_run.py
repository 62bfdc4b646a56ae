"""One run of one flow: its query, its rules, its checkpoint and its transaction id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.streaming.readwriter import DataStreamWriter

from local_shim.engine.expectations import Rules
from local_shim.engine.flow_events import FlowEvents
from local_shim.engine.flows.flow_settings import tuning_for_files
from local_shim.engine.reads.flow_reads import FlowReads
from local_shim.engine.reads.sources import StreamSource
from local_shim.engine.streaming.backlog import (
    Backlog,
    Listing,
    deleted_files,
    deletion_text,
    delta_backlog,
    file_backlog,
    list_files,
)
from local_shim.engine.streaming.new_data import has_new_data
from local_shim.engine.streaming.query import BatchError, observations, run_to_end
from local_shim.engine.update_context import UpdateContext
from local_shim.errors import FlowError
from local_shim.graph.elements import Dataset, Flow, QueryFlow
from local_shim.graph.graph import ResolvedFlow
from local_shim.graph.names import TableName
from local_shim.jvm.flow_session import in_flow_session
from local_shim.jvm.spark_plan import has_limit, streaming_sources
from local_shim.reading.source_resolver import evaluating, resolving_with
from local_shim.storage import Storage


class FlowRun:
    """What every kind of flow needs, in the thread and session that the executor gave it."""

    def __init__(self, context: UpdateContext, flow: ResolvedFlow, events: FlowEvents):
        self.context = context
        self.flow = flow
        self.events = events
        self.dataset: Dataset = context.graph.datasets[flow.target]
        self.folder = context.storage.table(flow.target)
        self.reads = FlowReads(context, flow)
        self.batch_error = BatchError()
        self.listings: list[Listing] = []
        self.only_source: StreamSource | None = None  # of a stream that reads nothing else

    @property
    def checkpoint(self) -> Path:
        """The folder of the flow's progress."""
        return self.context.storage.checkpoint(self.flow.target, self.flow.name)

    @property
    def application(self) -> str:
        """Transaction id of this generation of the flow, the same after a crash."""
        storage = self.context.storage
        generation = storage.generation(self.flow.target, self.flow.name)
        return f"dlt-local/{storage.pipeline}/{self.flow.name}/{generation}"

    def query(self, flow: QueryFlow) -> DataFrame:
        """The frame that the user's function returns.

        [choice] Databricks documents only that the rules of a view are evaluated when it is read.
        Here a fail rule sees all rows of a view also where its reader takes the first rows only:
        the function is called again, and the view is then computed as a whole.
        """
        frame = self._called(flow)
        if any(rules.can_fail for rules in self.reads.view_rules) and has_limit(frame):
            of_files = self.reads.of_files
            self.reads = FlowReads(self.context, self.flow, of_files=of_files, whole_views=True)
            frame = self._called(flow)
        return frame

    def _called(self, flow: QueryFlow) -> DataFrame:
        with resolving_with(self.reads), evaluating(flow.name):
            frame: DataFrame = flow.function()
        self._warn_of_options()
        return in_flow_session(frame)

    def source(self, name: str, streaming: bool) -> DataFrame:
        """The dataset that an AUTO CDC flow reads."""
        with resolving_with(self.reads):
            frame = self.reads.table(name, streaming, {})
        if frame is None:
            raise FlowError(
                "TABLE_OR_VIEW_NOT_FOUND", f"'{name}' does not exist.", where=self.flow.where
            )
        self._warn_of_options()
        return frame

    def _warn_of_options(self) -> None:
        """Warns about options of Auto Loader that have no effect."""
        for source in self.reads.streams:
            self.warn_all(source.files.notes if source.files else ())

    def rules(self, applies: Column | None = None) -> Rules:
        """The expectations of the target, for the rows that `applies` selects."""
        return Rules(str(self.dataset.name), self.flow.name, self.dataset.expectations, applies)

    def prepare_stream(self, frame: DataFrame) -> bool:
        """Gets ready to run a streaming query; False if the query has nothing to read.

        Lists the folders of Auto Loader, writes events about the listings and about what is
        unread, and changes the settings of the flow's session where many files are new.
        """
        streams, sources = self.reads.streams, streaming_sources(frame)
        if len(streams) == sources == 1 and not self.reads.foreign:
            self.only_source = streams[0]
        self.listings = [list_files(self.checkpoint, s, s.files) for s in streams if s.files]
        self.events.listings(self.listings)
        if not has_new_data(self.checkpoint, streams, sources, self.listings):
            return False
        files = [file_backlog(listing) for listing in self.listings]
        count, size = sum(each.files for each in files), sum(each.size for each in files)
        tuning = tuning_for_files(self.context, self.flow, count, size)
        self._configure_session(tuning)
        self.events.backlog([*files, *self._delta_backlog()], tuning)
        return True

    def _configure_session(self, settings: Mapping[str, str]) -> None:
        for key, value in settings.items():
            self.context.spark.conf.set(key, value)

    def _delta_backlog(self) -> Iterator[Backlog]:
        """What is new in the only source, if that is a Delta table: an offset names no source."""
        if len(self.reads.streams) == 1 and self.reads.streams[0].files is None:
            folder = Path(self.reads.streams[0].path)
            name = self.context.storage.table_name(folder)
            if backlog := delta_backlog(self.checkpoint, name, folder):
                yield backlog

    def run_to_end(self, writer: DataStreamWriter, table: str | None = None) -> StreamingQuery:
        """Runs a streaming query over everything that is there now."""
        query = run_to_end(writer, self.flow.name, self.checkpoint, self.batch_error, table)
        self.events.batches(query.recentProgress)
        self.warn_all(map(deletion_text, deleted_files(self.listings)))
        return query

    def stream_quality(self, query: StreamingQuery, rules: Rules) -> tuple[Mapping[str, Any], ...]:
        """The counts of the target's rules, and of those of the views it read, over all batches."""
        result = []
        for each in (rules, *self.reads.view_rules):
            if each.counted:
                rows = observations(query, each.observed_name)
                total = sum((each.quality(row) for row in rows), each.quality(None))
                result.append(each.data_quality(total))
        return tuple(result)

    def warn_all(self, warnings: Iterable[str]) -> None:
        """Writes each warning to the event log."""
        for warning in warnings:
            self.events.warn(warning)


def once_marker(storage: Storage, flow: Flow) -> Path:
    """The file that says that a once flow ran; a full refresh makes the flow run again."""
    return once_marker_of(storage, flow.target, flow.name)


def once_marker_of(storage: Storage, target: TableName, flow: str) -> Path:
    """The same by the names of the target and of the flow."""
    return storage.checkpoint(target, flow) / "once"
