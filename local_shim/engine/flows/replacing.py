"""Flows that replace rows of their streaming table: REPLACE WHERE and REPLACE USING."""

from __future__ import annotations

from collections.abc import Sequence

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from local_shim.delta import kernel, log
from local_shim.delta.transaction import transaction_settings
from local_shim.engine.flows.flow_run import FlowRun
from local_shim.engine.update_context import FlowResult
from local_shim.errors import FlowError
from local_shim.graph.elements import QueryFlow, ReplaceUsing, ReplaceWhere
from local_shim.jvm.configuration import settings
from local_shim.sql_text import quote

_SEQUENCE, _STORED, _DELETES = "__replace_sequence", "__replace_stored", "__replace_deletes"


def replace_where(run: FlowRun, flow: QueryFlow, replacing: ReplaceWhere) -> FlowResult:
    """Replaces the rows that match the predicate by those of the query, in one commit.

    The predicate also limits the query, so that no row outside of it is added (behaviour 170).
    The range is computed in every update.
    """
    frame = run.query(flow).where(replacing.predicate)
    before = run.context.storage.version(flow.target)
    writer = frame.writeTo(kernel.identifier(run.folder)).option("mergeSchema", "true")
    writer.overwrite(replacing.predicate)
    return FlowResult(log.written(run.folder, before))


def replace_using(run: FlowRun, flow: QueryFlow, replacing: ReplaceUsing) -> FlowResult:
    """Replaces keys by their newest rows, each micro-batch in one commit (behaviour 173).

    Rules are applied first: a dropped row replaces nothing (behaviour 174).
    """
    rules = run.rules()
    frame = run.query(flow)
    if not run.prepare_stream(frame):
        return FlowResult(idle=True)
    before = run.context.storage.version(flow.target)

    def replace_keys(batch: DataFrame, version: int) -> None:
        id_of_batch = transaction_settings(run.application, version)
        with run.batch_error.capture(), settings(batch.sparkSession, id_of_batch):
            _merge(run, batch, replacing)

    checked = rules.applied(frame, rules.observed_name)
    query = run.run_to_end(checked.writeStream.foreachBatch(replace_keys))
    return FlowResult(log.written(run.folder, before), run.stream_quality(query, rules))


def _merge(run: FlowRun, batch: DataFrame, replacing: ReplaceUsing) -> None:
    """Deletes the keys that the batch replaces and inserts its rows, in one MERGE.

    The rows are used several times, but read and counted by the rules once.
    """
    rows = batch.withColumn(_SEQUENCE, replacing.sequence_by).persist()
    try:
        _refuse_null_sequences(run, rows)
        _merge_rows(run, rows, batch.columns, replacing)
    finally:
        rows.unpersist()


def _merge_rows(
    run: FlowRun, rows: DataFrame, columns: Sequence[str], replacing: ReplaceUsing
) -> None:
    table = DeltaTable.forPath(rows.sparkSession, str(run.folder))
    newest = _with_stored_sequence(_newest(rows, replacing), table.toDF(), replacing)
    is_new_key = F.col(_STORED).isNull()
    inserts = newest.where(is_new_key | (F.col(_SEQUENCE) >= F.col(_STORED)))
    deletes = newest.where(F.col(_SEQUENCE) > F.col(_STORED)).dropDuplicates([*replacing.keys])
    marked = inserts.withColumn(_DELETES, F.lit(False)).union(
        deletes.withColumn(_DELETES, F.lit(True))
    )
    same_key = _same_key(replacing, "t", "s")
    (
        table.alias("t")
        .merge(marked.alias("s"), F.col(f"s.{_DELETES}") & same_key)
        .withSchemaEvolution()
        .whenMatchedDelete()
        .whenNotMatchedInsert(
            ~F.col(f"s.{_DELETES}"),
            {name: F.col(f"s.{quote(name)}") for name in columns},
        )
        .execute()
    )


def _newest(rows: DataFrame, replacing: ReplaceUsing) -> DataFrame:
    """The rows with the highest sequence of their key."""
    of_key = Window.partitionBy(*map(quote, replacing.keys))
    highest = rows.withColumn(_STORED, F.max(_SEQUENCE).over(of_key))
    return highest.where(F.col(_SEQUENCE) == F.col(_STORED)).drop(_STORED)


def _with_stored_sequence(rows: DataFrame, table: DataFrame, replacing: ReplaceUsing) -> DataFrame:
    """The rows with the highest sequence that the table has for their key; NULL for a new key."""
    sequences = table.groupBy(*map(quote, replacing.keys)).agg(
        F.max(replacing.sequence_by).alias(_STORED)
    )
    joined = rows.alias("t").join(sequences.alias("s"), _same_key(replacing, "t", "s"), "left")
    return joined.select("t.*", F.col(f"s.{_STORED}"))


def _same_key(replacing: ReplaceUsing, left: str, right: str) -> Column:
    """NULL matches NULL."""
    same = F.lit(True)
    for key in map(quote, replacing.keys):
        same = same & F.col(f"{left}.{key}").eqNullSafe(F.col(f"{right}.{key}"))
    return same


def _refuse_null_sequences(run: FlowRun, rows: DataFrame) -> None:
    """[choice] A NULL sequence fails the flow: it cannot be compared with the stored ones."""
    count = rows.where(F.col(_SEQUENCE).isNull()).count()
    if count:
        raise FlowError(
            "REPLACE_USING_NULL_SEQUENCE",
            f"'{run.flow.name}' received {count} rows without a sequence.",
            where=run.flow.where,
            hint="filter them in the query, or drop them by an expectation",
        )
