"""A session in which names mean the tables of a storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from local_shim.engine.reads.flow_reads import FlowReads
from local_shim.engine.update_context import UpdateContext
from local_shim.events.table import append_waiting_journals
from local_shim.graph.names import Namespace
from local_shim.jvm.flow_session import own_session, pipeline_session
from local_shim.jvm.session import open_session
from local_shim.reading.interception import spark_reads_intercepted
from local_shim.reading.source_resolver import resolving_with
from local_shim.storage import Storage


@contextmanager
def reading(
    storage: Storage, namespace: Namespace, *, of_files: bool = False
) -> Iterator[SparkSession]:
    """A session in which names mean the storage's tables.

    `of_files` reads small tables faster, but not what only Delta has, such as `_metadata.row_id`.
    """
    spark = open_session()
    # The clone takes the views along that names in queries are replaced by.
    with spark_reads_intercepted(), pipeline_session(spark) as session, own_session(session, {}):
        append_waiting_journals(session, storage)
        reads = FlowReads(UpdateContext(session, storage, namespace), of_files=of_files)
        with resolving_with(reads):
            yield session
