"""Old rows marked as deleted and new rows appended, in one commit that reads the table once.

Delta's MERGE reads the table three times where it writes deletion vectors: to find the files, to
join the rows, and to find the rows again. A batch that knows its rows beforehand has nothing to
join: one pass over the identity columns finds where the old rows lie. The steps are those of
Delta's own DELETE and append in one transaction; SQL and Python have no word for both at once.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from local_shim.cdc.target import settings

_FILE, _ROW = "__cdc_file", "__cdc_index"
_COMMANDS = "org.apache.spark.sql.delta.commands"


def places_of(rows: DataFrame) -> DataFrame:
    """The rows of a Delta table, with the file and the position there of each."""
    return rows.select(
        "*", F.col("_metadata.file_path").alias(_FILE), F.col("_metadata.row_index").alias(_ROW)
    )


def exchange(gone: DataFrame, put: DataFrame, path: str) -> None:
    """Delete the rows `gone`, found by `places_of`, and append `put`, in one commit.

    Under the session's transaction id, as Delta's own writes: what it committed is skipped.
    """
    # The metrics of a MERGE come from its own plan; a history without them beats wrong ones.
    quiet = {"spark.databricks.delta.history.metricsEnabled": "false"}
    with settings(gone.sparkSession, quiet):
        _Exchange(gone.sparkSession, path).commit(gone.select(_FILE, _ROW), put)


class _Exchange:
    """One transaction on the table's log, spoken to in Delta's own words."""

    def __init__(self, spark: SparkSession, path: str):
        java: Any = spark._jvm
        self.java = java
        self.session = spark._jsparkSession
        self.none = self.java.scala.Option.empty()
        self.rows = self._object(f"{_COMMANDS}.DMLWithDeletionVectorsHelper")
        self.log = self.java.org.apache.spark.sql.delta.DeltaLog.forTable(self.session, path)
        self.transaction = self.log.startTransaction(self.none, self.none)

    def commit(self, gone: DataFrame, put: DataFrame) -> None:
        if self.rows.hasBeenExecuted(self.transaction, self.session, self.none):
            return
        removed = self._removed(gone)
        added = self.transaction.writeFiles(put._jdf)
        mark = self.rows.createSetTransaction(self.session, self.log, self.none)
        nothing = self._object("scala.collection.immutable.Nil")
        merge = getattr(self.java.org.apache.spark.sql.delta, "DeltaOperations$Merge")
        operation = merge(*[self.none] * 4, *[nothing] * 3)
        self.transaction.commit(removed.concat(added).concat(mark), operation)

    def _removed(self, gone: DataFrame) -> Any:
        """Actions that give each file concerned a deletion vector that holds its rows, too."""
        files = self.transaction.filterFiles()
        file, row = (self.java.scala.Option.apply(F.col(name)._jc) for name in (_FILE, _ROW))
        always = self._object("org.apache.spark.sql.catalyst.expressions.Literal").TrueLiteral()
        bitmaps = self._object(f"{_COMMANDS}.DeletionVectorBitmapGenerator")
        found = bitmaps.buildRowIndexSetsForFilesMatchingCondition(
            self.session, self.transaction, True, gone._jdf, files, always, file, row
        )
        known = self.rows.generateCandidateFileMap(self.log.dataPath(), files)
        touched = self.rows.findFilesWithMatchingRows(self.transaction, known, found)
        snapshot = self.transaction.snapshot()
        return self.rows.processUnmodifiedData(self.session, touched, snapshot, 0)._1()

    def _object(self, name: str) -> Any:
        """A Scala object by its name."""
        loader = self.java.java.lang.Thread.currentThread().getContextClassLoader()
        found = self.java.java.lang.Class.forName(f"{name}$", True, loader)
        return found.getField("MODULE$").get(None)
