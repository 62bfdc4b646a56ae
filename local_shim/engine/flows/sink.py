"""Append flows into sinks: Delta, Kafka, or a function for each batch."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from local_shim.engine.flows.flow_run import FlowRun
from local_shim.engine.streaming.query import input_rows, observations
from local_shim.engine.update_context import FlowResult
from local_shim.graph.elements import QueryFlow
from local_shim.reading.source_resolver import resolving_with

_SENT = "rows sent to the sink"


def write(run: FlowRun, flow: QueryFlow) -> FlowResult:
    """Sends new rows; a full refresh sends all rows again and removes none (behaviour 102)."""
    counted = run.query(flow).observe(_SENT, F.count(F.lit(1)).alias("rows"))
    writer, function = counted.writeStream, run.dataset.sink_function

    def write_batch(batch: DataFrame, number: int) -> None:
        # Spark calls this in a thread of its own, where no resolver is set.
        with run.batch_error.capture(), resolving_with(run.reads):
            function(batch, number)  # type: ignore[misc]

    if function is None:
        writer = writer.format(str(run.dataset.sink_format)).options(**_options(run))
    query = run.run_to_end(writer.foreachBatch(write_batch) if function else writer)
    quality = run.stream_quality(query, run.rules())
    return FlowResult({"num_output_rows": _rows_sent(query)}, quality)


def _rows_sent(query: StreamingQuery) -> int:
    """The rows of all batches; those read, if the sink made a query of its own."""
    counts = [int(batch["rows"]) for batch in observations(query, _SENT)]
    return sum(counts) if counts else input_rows(query)


def _options(run: FlowRun) -> dict[str, str]:
    options = {
        key: run.context.paths.local(value) if key == "path" else value
        for key, value in run.dataset.sink_options.items()
    }
    if "tableName" in options:
        name = run.context.namespace.qualify(options.pop("tableName"))
        options["path"] = str(run.context.storage.table(name))
    return options
