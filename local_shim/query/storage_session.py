"""A session in which names mean the tables of a storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from pyspark.sql import SparkSession

from local_shim.delta import kernel
from local_shim.engine.reads.flow_reads import FlowReads
from local_shim.engine.update_context import UpdateContext
from local_shim.graph.names import Namespace
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.flow_session import own_session, pipeline_session
from local_shim.jvm.session import open_session
from local_shim.reading.interception import spark_reads_intercepted
from local_shim.reading.source_resolver import resolving_with
from local_shim.storage import Storage


@contextmanager
def reading(
    storage: Storage, namespace: Namespace, *, by_kernel: bool = False
) -> Iterator[SparkSession]:
    """A session in which names mean the storage's tables.

    `by_kernel` reads small tables faster, but knows queries only, no DESCRIBE and no time travel;
    frames made meanwhile are then also to be collected meanwhile.
    """
    spark = open_session()
    by_kernel = by_kernel and fast_paths_enabled()
    # The clone takes the views along that names in queries are replaced by.
    with spark_reads_intercepted(), pipeline_session(spark) as session, own_session(session, {}):
        reads = FlowReads(UpdateContext(session, storage, namespace), by_kernel=by_kernel)
        with resolving_with(reads), kernel.enabled(session) if by_kernel else nullcontext():
            yield session
