"""The event log as a Delta table, filled from the journals."""

from __future__ import annotations

from contextlib import suppress

from pyspark.sql import SparkSession

from local_shim.delta.tables import append, append_new
from local_shim.durable_files import move, names
from local_shim.errors import UpdateActive
from local_shim.jvm.configuration import PLAIN_PATH
from local_shim.storage import Storage

_EXCEPTION = (
    "struct<class_name: string, message: string, stack: array<struct<declaring_class: string, "
    "method_name: string, file_name: string, line_number: int>>>"
)
# All fields that Databricks documents, so that its queries find their columns; many are NULL here.
_ORIGIN = (
    "cloud: string, region: string, org_id: bigint, host: string, pipeline_id: string, "
    "pipeline_type: string, pipeline_name: string, cluster_id: string, update_id: string, "
    "maintenance_id: string, table_id: string, table_name: string, dataset_name: string, "
    "sink_name: string, flow_id: string, flow_name: string, batch_id: bigint, request_id: string, "
    "uc_resource_id: string, materialization_name: string, ingestion_source_catalog_name: string, "
    "ingestion_source_schema_name: string, ingestion_source_table_name: string"
)
_SCHEMA = f"""
    id string,
    sequence struct<data_plane_id: struct<instance: string, seq_no: bigint>,
                    control_plane_seq_no: bigint>,
    origin struct<{_ORIGIN}>,
    timestamp timestamp,
    message string,
    level string,
    maturity_level string,
    error struct<fatal: boolean, exceptions: array<{_EXCEPTION}>>,
    details string,
    event_type string,
    truncation struct<truncated_fields: array<string>>
"""


def append_journals(spark: SparkSession, storage: Storage, update_id: str) -> None:
    """Appends the journal of the update that ends, and those that wait.

    Those are of updates that were killed, or that ended before Spark started.

    A journal's name is its transaction id, so a crash between the commit and the move of the
    file cannot append it twice. It takes a Spark job to find out whether the table has a
    transaction; the journal of this update needs none, because it cannot be in the table yet.
    """
    folder, target = storage.journals(), storage.events_table()
    current_journal = storage.journal(update_id)
    for path in sorted(folder / name for name in names(folder) if name.endswith(".jsonl")):
        rows = spark.read.options(**PLAIN_PATH).schema(_SCHEMA).json(str(path)).coalesce(1)
        transaction_id = (f"journal/{path.stem}", 0)
        if path != current_journal or not append_new(rows, target, transaction_id):
            append(rows, target, transaction_id)
        move(path, folder / "done" / path.name)


def append_waiting_journals(spark: SparkSession, storage: Storage) -> None:
    """Appends the journals that wait, of all pipelines, before somebody reads the event log.

    Those of a pipeline whose update runs wait for its end; in a storage that is read only all do.
    """
    for each in storage.of_each_pipeline():
        if any(name.endswith(".jsonl") for name in names(each.journals())):
            with suppress(UpdateActive, PermissionError), each.update_lock():
                append_journals(spark, each, "")
