"""Runs a streaming query to its end and reads its metrics."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.streaming.readwriter import DataStreamWriter


class BatchError:
    """The error of a batch function, kept for the thread that waits for the query."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    @contextmanager
    def capture(self) -> Iterator[None]:
        """Keeps the error that passes through."""
        try:
            yield
        except BaseException as error:
            self.error = error
            raise

    def reraise(self) -> None:
        """Raises the kept error, if there is one."""
        if self.error is not None:
            raise self.error


def run_to_end(
    writer: DataStreamWriter,
    name: str,
    checkpoint: Path,
    batch_error: BatchError,
    table: str | None = None,
) -> StreamingQuery:
    """Reads everything that was there when the query started; gives the ended query.

    The rows go to `table`, as Spark's catalog knows it, or to where the writer says.
    """
    ready = (
        writer.option("checkpointLocation", str(checkpoint))
        .queryName(f"{name} {uuid.uuid4().hex[:8]}")
        .trigger(availableNow=True)
    )
    query = ready.start() if table is None else ready.toTable(table)
    try:
        query.awaitTermination()
    except StreamingQueryException:
        batch_error.reraise()  # Java has only the text of what Python raised in a batch
        raise
    return query


def observations(query: StreamingQuery, name: str) -> list[Mapping[str, Any]]:
    """The metrics that each batch of the query observed under a name."""
    return [
        row.asDict()
        for progress in query.recentProgress
        for observed, row in progress.observedMetrics.items()
        if observed == name
    ]


def input_rows(query: StreamingQuery) -> int:
    """Rows that the query's batches read."""
    return sum(progress.numInputRows for progress in query.recentProgress)
