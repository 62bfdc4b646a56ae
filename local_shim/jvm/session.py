"""The one Spark session of the process, with Delta, fit for small data on one machine."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.jars import check_java, class_archive, delta_jars, driver_class_path
from local_shim.jvm.name_cache import remember_names

# With small tables planning costs more than the work: no code generation, one task for
# everything, no statistics for skipping files that there are not, no search for conditions and
# filters that follow from others (a quarter of the time of planning).
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
# Hadoop's FileContext starts a process (readlink) eight times for each file that it renames; an
# update wrote its log and checkpoint files with 1,500 of them. Its FileSystem starts none. Either
# looks whether the file is there and then renames, so neither keeps two writers of one version
# apart: updates do by a lock, and their flows by taking turns at a table.
_WITHOUT_PROCESSES = {
    "spark.sql.streaming.checkpointFileManagerClass": "org.apache.spark.sql.execution.streaming"
    ".checkpointing.FileSystemBasedCheckpointFileManager",
    "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
    "spark.hadoop.io.delta.kernel.logStore.file.impl": "io.delta.storage.LocalLogStore",
}
CODE_GENERATION = ("spark.sql.codegen.factoryMode", "spark.sql.codegen.wholeStage")
_CORES = os.cpu_count() or 2
LARGE_DATA = {
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.constraintPropagation.enabled": "true",
    "spark.sql.optimizer.runtime.bloomFilter.enabled": "true",
    "spark.sql.shuffle.partitions": str(2 * _CORES),
    "spark.sql.files.minPartitionNum": str(_CORES),
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.databricks.delta.stats.collect": "true",
}


def open_session(*, record_classes_in: Path | None = None) -> SparkSession:
    """The running Spark session, or a new one: UTC, ANSI, Delta, no console noise.

    `record_classes_in` makes the JVM write a class archive there when it ends (install step).
    Raises SetupError if Java or the jars are missing.
    """
    _use_utc()
    running = running_session()
    if running is not None:
        return running
    check_java()
    remember_names()
    # Functions run in Python workers: in this interpreter, not in the first one on the PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # PySpark logs a page of JSON for each analysis error; we tell errors ourselves.
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    with _quiet_java():
        session: SparkSession = _configured(_java_options(record_classes_in)).getOrCreate()
    _write_no_checksums(session)
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


def _write_no_checksums(spark: SparkSession) -> None:
    """No `.crc` beside every local file: each costs a process (chmod), and nobody looks at them.

    Spark and Delta take the file system from the cache of this process, where it is told so once.
    """
    java: Any = spark._jvm
    hadoop = spark._jsparkSession.sessionState().newHadoopConf()
    java.org.apache.hadoop.fs.FileSystem.getLocal(hadoop).setWriteChecksum(False)


def empty_frame(spark: SparkSession, schema: StructType) -> DataFrame:
    """No rows of `schema`: a local relation, made without a job and without a Python worker.

    `createDataFrame([], schema)` would go through an RDD and start Python processes to read it.
    """
    java = spark._jvm
    assert java is not None
    java_schema = java.org.apache.spark.sql.types.DataType.fromJson(schema.json())
    rows = java.java.util.ArrayList()
    return DataFrame(spark._jsparkSession.createDataFrame(rows, java_schema), spark)


@contextmanager
def settings(spark: SparkSession, values: Mapping[str, str]) -> Iterator[None]:
    """These configuration values while the block runs, and then what was there before."""
    before = {key: spark.conf.get(key, None) for key in values}
    for key, value in values.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, old in before.items():
            spark.conf.unset(key) if old is None else spark.conf.set(key, old)


def configuration_of(spark: SparkSession) -> dict[str, str]:
    """All configuration values of the session."""
    return {str(key): str(value) for key, value in spark.conf.getAll.items()}


def cancel_all_jobs(spark: SparkSession) -> None:
    """Cancels the running Spark jobs of the process, those of streaming queries too."""
    spark.sparkContext.cancelAllJobs()


def for_small_data(spark: SparkSession) -> bool:
    """Whether this session has the settings of `SMALL_DATA`, and not those of `LARGE_DATA`."""
    key = "spark.sql.codegen.wholeStage"
    return fast_paths_enabled() and bool(spark._jsparkSession.conf().get(key) == SMALL_DATA[key])


def nullable(spark: SparkSession, schema: StructType) -> StructType:
    """The same columns, all of which, inner ones too, may be NULL."""
    java = spark._jvm
    assert java is not None
    kind = java.org.apache.spark.sql.types.DataType.fromJson(schema.json())
    return StructType.fromJson(json.loads(kind.asNullable().json()))


@contextmanager
def _quiet_java() -> Iterator[None]:
    """Starts the JVM with its standard error in a file: it greets every start with warnings."""
    sys.stderr.flush()
    kept = os.dup(2)
    log = os.open(_java_log(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(log)


def _java_log() -> Path:
    """Where the JVM of this process says what it has to say (it matters only if it dies)."""
    return Path(tempfile.gettempdir()) / f"dlt-local-java-{os.getuid()}.log"


def _configured(java_options: str) -> Any:
    builder = SparkSession.builder.master("local[*]").appName("dlt-local")
    settings = {
        "spark.driver.extraClassPath": driver_class_path(delta_jars()),
        "spark.driver.extraJavaOptions": java_options,
        "spark.driver.memory": f"{_driver_megabytes()}m",
        # Sorts and joins take memory by the page: 64 MB each by default, for some rows here.
        "spark.buffer.pageSize": "1m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000",
        "spark.databricks.delta.schema.autoMerge.enabled": "false",
        "spark.databricks.delta.stalenessLimit": "0",
        "spark.sql.streaming.numRecentProgressUpdates": "1000",
        "spark.sql.warehouse.dir": str(Path(os.environ.get("TMPDIR", "/tmp")) / "dlt-local-wh"),
        "spark.cleaner.periodicGC.interval": "60min",
        # Describing plans for a web page that is off, and noting the Python line of every column
        # expression, cost more than small queries themselves.
        "spark.sql.ui.explainMode": "simple",
        "spark.sql.maxPlanStringLength": "2000",
        "spark.sql.debug.maxToStringFields": "10",
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        # Functions in Python use Arrow where it is there; Spark warns of each where it is not.
        "spark.sql.execution.pythonUDF.arrow.enabled": str(_has_arrow()).lower(),
        **_WITHOUT_PROCESSES,
        "spark.sql.streaming.metricsEnabled": "false",
        "spark.sql.streaming.checkpoint.fileChecksum.enabled": "false",
        **(SMALL_DATA if fast_paths_enabled() else LARGE_DATA),
    }
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder


def _has_arrow() -> bool:
    return all(find_spec(name) is not None for name in ("pandas", "pyarrow"))


def _driver_megabytes() -> int:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    quarter = pages * size // 4 // 2**20
    return min(max(quarter, 1024), 4096)


def _java_options(record_classes_in: Path | None) -> str:
    options = ["-XX:TieredStopAtLevel=1", "-XX:+UseParallelGC", "-Duser.timezone=UTC"]
    # The quick compiler alone gets 48 MB for its code; Spark fills that, and all is interpreted.
    options += ["-XX:ReservedCodeCacheSize=512m"]
    # Planning makes much garbage and keeps little: a small first heap is collected all the time.
    options += [f"-Xms{_driver_megabytes() // 2}m", "-XX:NewRatio=1", "-XX:MetaspaceSize=256m"]
    options += [f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}"]
    options += ["-Xlog:disable"]
    archive = class_archive()
    if record_classes_in is not None:
        options.append(f"-XX:ArchiveClassesAtExit={record_classes_in}")
    elif archive.exists():
        options.append(f"-XX:SharedArchiveFile={archive}")
    return " ".join(options)
