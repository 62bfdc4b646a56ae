"""One commit of a Delta table in which old rows go and new rows come.

Delta's overwrite plans its query twice and drops the table's clustering; its MERGE reads a table
three times where it writes deletion vectors: to find the files, to join the rows, and to find the
rows again. A batch that knows its rows beforehand has nothing to join: one pass over the identity
columns finds where the old rows lie. A small table's files are all known from its last commit, so
that putting others in their place reads no log at all. The steps are those of Delta's own DELETE
and append in one transaction, which SQL and Python have no word for. The transaction id is the one
that the session has for Delta's own writes.
"""

from __future__ import annotations

import json
import time
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.jvm.scala import listed, optional, scala_object
from local_shim.jvm.session import settings

_FILE, _ROW = "__cdc_file", "__cdc_index"
_LAYOUT = "delta.clustering"
_COMMANDS = "org.apache.spark.sql.delta.commands"
# A MERGE counts in its own plan, which is not there; a history without counts beats a wrong one.
_UNCOUNTED = {"spark.databricks.delta.history.metricsEnabled": "false"}


def places_of(rows: DataFrame) -> DataFrame:
    """The rows of a Delta table, with the file and the position there of each."""
    return rows.select(
        "*", F.col("_metadata.file_path").alias(_FILE), F.col("_metadata.row_index").alias(_ROW)
    )


class Transaction:
    """A transaction on the table at a path, spoken to in Delta's own words."""

    def __init__(self, spark: SparkSession, path: str):
        java: Any = spark._jvm
        self.java, self.spark, self.session = java, spark, spark._jsparkSession
        self.none = java.scala.Option.empty()
        self.nothing = self._object("scala.collection.immutable.Nil")
        self.rows = self._object(f"{_COMMANDS}.DMLWithDeletionVectorsHelper")
        self.log = java.org.apache.spark.sql.delta.DeltaLog.forTable(self.session, path)
        self.transaction = self.log.startTransaction(self.none, self.none)

    @property
    def columns(self) -> StructType:
        """The table's columns."""
        return StructType.fromJson(json.loads(self.transaction.snapshot().schema().json()))

    @property
    def layout(self) -> tuple[list[str], list[str]] | None:
        """The columns that the table is partitioned and clustered by, if no job need find out."""
        snapshot = self.transaction.snapshot()
        checksum = snapshot.checksumOpt()
        domains = checksum.get().domainMetadata() if checksum.isDefined() else self.none
        if not domains.isDefined():
            return None
        partitions = snapshot.metadata().partitionColumns()
        named = listed(domains.get())
        layouts = [json.loads(each.configuration()) for each in named if each.domain() == _LAYOUT]
        clustering = [".".join(path) for each in layouts for path in each["clusteringColumns"]]
        return listed(partitions), clustering

    def append(self, put: DataFrame) -> None:
        """Add rows."""
        self._finish(self.nothing, put, self._write("Append"))

    def exchange(self, gone: DataFrame, put: DataFrame) -> None:
        """Mark the rows `gone`, found by `places_of`, as deleted, and add `put`."""
        files = self.transaction.filterFiles()
        file, row = (self.java.scala.Option.apply(F.col(name)._jc) for name in (_FILE, _ROW))
        always = self._object("org.apache.spark.sql.catalyst.expressions.Literal").TrueLiteral()
        bitmaps = self._object(f"{_COMMANDS}.DeletionVectorBitmapGenerator")
        places = gone.select(_FILE, _ROW)._jdf
        found = bitmaps.buildRowIndexSetsForFilesMatchingCondition(
            self.session, self.transaction, True, places, files, always, file, row
        )
        known = self.rows.generateCandidateFileMap(self.log.dataPath(), files)
        touched = self.rows.findFilesWithMatchingRows(self.transaction, known, found)
        snapshot = self.transaction.snapshot()
        removed = self.rows.processUnmodifiedData(self.session, touched, snapshot, 0)._1()
        with settings(self.spark, _UNCOUNTED):
            self._finish(removed, put, self._merge())

    def replace(self, put: DataFrame, version: int) -> bool:
        """Put these rows in the place of all that the table's `version` has.

        False, and nothing done, if that version is not the last, or does not list its files.
        """
        snapshot = self.transaction.snapshot()
        checksum = snapshot.checksumOpt()
        if snapshot.version() != version or not checksum.isDefined():
            return False
        files = optional(checksum.get().allFiles())
        if files is None:
            return False
        self.transaction.readWholeTable()
        now = time.time_ns() // 1_000_000
        removed = self.nothing
        for file in listed(files):
            removed = removed.appended(file.removeWithTimestamp(now, True))
        self._finish(removed, put, self._write("Overwrite"))
        return True

    def _finish(self, removed: Any, put: DataFrame, operation: Any) -> None:
        added = self.transaction.writeFiles(put._jdf)
        mark = self.rows.createSetTransaction(self.session, self.log, self.none)
        self.transaction.commit(removed.concat(added).concat(mark), operation)

    def _write(self, mode: str) -> Any:
        kind = getattr(self.java.org.apache.spark.sql.delta, "DeltaOperations$Write")
        return kind(getattr(self.java.org.apache.spark.sql.SaveMode, mode), *[self.none] * 8)

    def _merge(self) -> Any:
        kind = getattr(self.java.org.apache.spark.sql.delta, "DeltaOperations$Merge")
        return kind(*[self.none] * 4, *[self.nothing] * 3)

    def _object(self, name: str) -> Any:
        return scala_object(self.java, name)
