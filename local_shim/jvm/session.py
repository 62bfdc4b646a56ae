"""The Spark session of the process, with Delta, and its settings for small data on one machine."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from pyspark import SparkConf
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from local_shim.jvm.classpath import jars
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.functions.databricks_functions import register_databricks_functions
from local_shim.jvm.interrupts import start_context
from local_shim.jvm.tuning.hadoop import lighten
from local_shim.jvm.tuning.java_options import heap_megabytes, java_options
from local_shim.jvm.tuning.name_cache import cache_java_names

# For small tables planning costs more than the work: switch off code generation, statistics for
# data skipping and constraint propagation (a quarter of the time of planning), and use one task.
SMALL_DATA = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.sql.optimizer.runtime.bloomFilter.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.files.minPartitionNum": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.stats.collect": "false",
}
# Hadoop's FileContext starts eight processes (readlink) for each file that it renames: 1,500 in an
# update for its log and checkpoint files. Hadoop's FileSystem starts none. Both check whether the
# file exists and then rename, so neither keeps two writers of one version apart: the lock of an
# update does, and within an update the flows of one table run one after the other.
_WITHOUT_PROCESSES = {
    "spark.sql.streaming.checkpointFileManagerClass": "org.apache.spark.sql.execution.streaming"
    ".checkpointing.FileSystemBasedCheckpointFileManager",
    "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
    "spark.hadoop.io.delta.kernel.logStore.file.impl": "io.delta.storage.LocalLogStore",
}
STATISTICS = {"spark.databricks.delta.stats.collect": "true"}
CODE_GENERATION = ("spark.sql.codegen.factoryMode", "spark.sql.codegen.wholeStage")
_CORES = os.cpu_count() or 2
# More paths than the threshold are listed by tasks; by default there is one task for each path.
# Files may have any charset that Java knows; Spark 4 takes seven by default.
_FILES = {
    "spark.sql.legacy.javaCharsets": "true",
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(2 * _CORES),
}
_SEMANTICS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.databricks.delta.schema.autoMerge.enabled": "false",
    "spark.databricks.delta.stalenessLimit": "0",
    # Delta makes these two settings with its first statement. Made here, they are not taken for
    # settings of the pipeline.
    "spark.sql.parquet.fieldId.read.enabled": "true",
    "spark.sql.parquet.fieldId.write.enabled": "true",
}
# Describing plans for the web UI, which is off, and recording the Python line of every column
# expression cost more than small queries themselves.
_WITHOUT_DESCRIPTIONS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.ui.explainMode": "simple",
    "spark.sql.maxPlanStringLength": "2000",
    "spark.sql.debug.maxToStringFields": "10",
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}
# The default. Spark asks for it with each row that it aggregates, and works it out anew from the
# environment if nobody has set it.
_ROWS = {"spark.sql.types.framework.enabled": "false"}
# Generated code is kept by its text, that of 100 classes by default: 13 flows over a large book
# have a thousand, and each update of a process would compile them anew.
_GENERATED_CODE = {"spark.sql.codegen.cache.maxEntries": "10000"}
_STREAMS = {
    # Lets a stream start again that was killed while it wrote its first offset.
    "spark.sql.streaming.verifyCheckpointDirectoryEmptyOnStart": "false",
    "spark.sql.streaming.numRecentProgressUpdates": "1000",
    "spark.sql.streaming.metricsEnabled": "false",
    "spark.sql.streaming.checkpoint.fileChecksum.enabled": "false",
}
LARGE_DATA = {
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.constraintPropagation.enabled": "true",
    "spark.sql.optimizer.runtime.bloomFilter.enabled": "true",
    "spark.sql.shuffle.partitions": str(2 * _CORES),
    "spark.sql.files.minPartitionNum": str(_CORES),
    "spark.databricks.delta.snapshotPartitions": "2",
    # In memory a row takes eight times its bytes in a Parquet file; Spark takes both for equal.
    "spark.sql.sources.fileCompressionFactor": "8",
    # Joins by hash while the maps of all tasks (8 times a shuffle) take a quarter of the heap.
    "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": (
        f"{heap_megabytes() // (32 * _CORES)}m"
    ),
    **STATISTICS,
}

# To open a file costs as much as to read 4 MB of it, says Spark; a local one costs much less. Each
# task gets the names of all new files, so that the cost of many tasks grows with the square.
MANY_FILES = {
    "spark.sql.files.openCostInBytes": "64k",
    "spark.sql.files.minPartitionNum": str(_CORES),
}


def open_session(
    *, large_data: bool = False, record_classes_in: Path | None = None
) -> SparkSession:
    """The running Spark session, or a new one: UTC, ANSI, Delta, no console noise.

    `large_data` makes the JVM compile often used code a second time, for more speed.
    `record_classes_in` makes the JVM write a class archive there when it ends (install step).
    Raises SetupError if Java or the jars are missing.
    """
    _use_utc()
    running = running_session()
    if running is not None:
        return running
    jars.check_java()
    cache_java_names()
    # Functions run in Python workers: in this interpreter, not in the first one on the PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LAUNCHER_OPTS", jars.launcher_options())
    # PySpark logs a page of JSON for each analysis error; the shim reports errors itself.
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    # Pipelines that call logging.basicConfig(level=INFO) would print a line for each connection.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    settings = _settings(java_options(large_data, record_classes_in))
    conf = SparkConf().setAll(list(settings.items()))
    with _quiet_java():
        start_context(conf)
        session = SparkSession.builder.config(conf=conf).getOrCreate()
    lighten(session)
    register_databricks_functions(session)
    return session


def _use_utc() -> None:
    """Makes UTC the zone of this process, and of the JVM and Python workers that it starts.

    Python reads naive datetimes, in `createDataFrame`, `lit` and functions, in the zone of the
    operating system, which is UTC on Databricks' machines.
    """
    os.environ["TZ"] = "UTC"
    time.tzset()


def running_session() -> SparkSession | None:
    """The session of this thread, else that of the process, if there is one."""
    return SparkSession.getActiveSession() or SparkSession._instantiatedSession


def close_session(spark: SparkSession) -> None:
    """Stops Spark and its JVM and waits for the JVM's end, at which it writes a class archive.

    Read from PySpark 4.2.0, `java_gateway.py`: the gateway keeps the JVM's process as `proc`, and
    the JVM ends when its standard input is closed.
    """
    gateway = spark.sparkContext._gateway
    assert gateway is not None
    process: subprocess.Popen[bytes] | None = getattr(gateway, "proc", None)
    spark.stop()
    gateway.shutdown()
    if process is not None:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=120)


def empty_frame(spark: SparkSession, schema: StructType) -> DataFrame:
    """A frame of `schema` without rows: a local relation, made without a job or a Python worker.

    `createDataFrame([], schema)` would go through an RDD and start Python processes to read it.
    """
    java = spark._jvm
    assert java is not None
    java_schema = java.org.apache.spark.sql.types.DataType.fromJson(schema.json())
    rows = java.java.util.ArrayList()
    return DataFrame(spark._jsparkSession.createDataFrame(rows, java_schema), spark)


def cancel_all_jobs(spark: SparkSession) -> None:
    """Cancels the running Spark jobs of the process, those of streaming queries too."""
    spark.sparkContext.cancelAllJobs()


def for_small_data(spark: SparkSession) -> bool:
    """Whether this session has the settings of `SMALL_DATA`, and not those of `LARGE_DATA`."""
    key = "spark.sql.codegen.wholeStage"
    return fast_paths_enabled() and bool(spark._jsparkSession.conf().get(key) == SMALL_DATA[key])


def nullable(spark: SparkSession, schema: StructType) -> StructType:
    """The same columns, nullable at every level."""
    java = spark._jvm
    assert java is not None
    data_type = java.org.apache.spark.sql.types.DataType.fromJson(schema.json())
    return StructType.fromJson(json.loads(data_type.asNullable().json()))


@contextmanager
def _quiet_java() -> Iterator[None]:
    """Sends the standard error of a JVM started inside the block to a file: it prints warnings."""
    sys.stderr.flush()
    terminal = os.dup(2)
    log = os.open(_java_log(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(log)


def _java_log() -> Path:
    """The file for the JVM's standard error, which matters only if the JVM dies."""
    return Path(tempfile.gettempdir()) / f"dlt-local-java-{os.getuid()}.log"


def _settings(options: str) -> dict[str, str]:
    return {
        **_driver(options),
        **_SEMANTICS,
        **_FILES,
        **_WITHOUT_DESCRIPTIONS,
        **_python_workers(),
        **_WITHOUT_PROCESSES,
        **_STREAMS,
        **_ROWS,
        **_GENERATED_CODE,
        **(SMALL_DATA if fast_paths_enabled() else LARGE_DATA),
    }


def _driver(options: str) -> dict[str, str]:
    return {
        "spark.master": "local[*]",
        "spark.app.name": "dlt-local",
        "spark.driver.extraClassPath": jars.driver_class_path(jars.session_jars()),
        "spark.driver.extraJavaOptions": options,
        "spark.driver.memory": f"{heap_megabytes()}m",
        # Sorts and joins allocate memory by the page: 64 MB each by default, for some rows here.
        "spark.buffer.pageSize": "1m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(Path(os.environ.get("TMPDIR", "/tmp")) / "dlt-local-wh"),
        "spark.cleaner.periodicGC.interval": "60min",
    }


def _python_workers() -> dict[str, str]:
    return {
        # Python functions use Arrow if it is installed; without it, Spark warns of each of them.
        "spark.sql.execution.pythonUDF.arrow.enabled": str(_has_arrow()).lower(),
        # Spark 4.2.0 waits for ever when it hands the columns of a Delta table to a Python worker
        # (sql/core/…/python/ColumnarArrowEvalPythonEvaluatorFactory.scala); it hands rows instead.
        "spark.sql.execution.arrow.pythonUDF.columnarInput.enabled": "false",
    }


def _has_arrow() -> bool:
    return all(find_spec(name) is not None for name in ("pandas", "pyarrow"))
