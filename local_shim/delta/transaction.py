"""Commits to a Delta table in which old rows go and new rows come, without a MERGE.

Delta's overwrite plans its query twice and drops the table's clustering; its MERGE reads a table
three times where it writes deletion vectors: to find the files, to join the rows, and to find the
rows again. A batch that knows its rows beforehand has nothing to join: one pass over the identity
columns finds where the old rows are. The files of a small table are listed in the checksum of its
last commit, so replacing all of them reads no log. SQL and Python have no statement for these
commits, so they take the steps of Delta's own DELETE and append in one transaction. The transaction
id is the one that the session has for Delta's own writes. A new table and its first rows are one
commit, too; Delta's CREATE TABLE AS SELECT loses the observed metrics of a query.

Read from Delta 4.4.0, `spark/src/main/scala/org/apache/spark/sql/delta/`: `DeltaLog.scala`,
`OptimisticTransaction.scala` and `files/TransactionalWrite.scala` (writeFiles), `Checksum.scala`,
`DeltaOperations.scala` (Write, Merge), `actions/actions.scala` (Metadata, DomainMetadata),
`commands/DeleteCommand.scala` (the order of the steps),
`commands/DMLWithDeletionVectorsHelper.scala` and `commands/DeletionVectorBitmapGenerator`.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.graph.elements import Dataset
from local_shim.jvm.configuration import settings
from local_shim.jvm.fast_paths import fast_paths_enabled
from local_shim.jvm.scala import listed, optional, scala_object

_FILE, _ROW = "__cdc_file", "__cdc_index"
_CLUSTERING = "delta.clustering"
_COMMANDS = "org.apache.spark.sql.delta.commands"
# Delta takes the metrics of a MERGE from its own plan node. There is none here, so leave the
# metrics out of the history rather than record zeros.
_NO_METRICS = {"spark.databricks.delta.history.metricsEnabled": "false"}


def transaction_settings(application: str, version: int) -> dict[str, str]:
    """Session settings that give a commit this transaction id.

    Delta's own writes are then skipped if the table has the transaction already.
    """
    return {
        "spark.databricks.delta.write.txnAppId": application,
        "spark.databricks.delta.write.txnVersion": str(version),
    }


def with_positions(rows: DataFrame) -> DataFrame:
    """The rows of a Delta table, each with its file and its position in it."""
    return rows.select(
        "*", F.col("_metadata.file_path").alias(_FILE), F.col("_metadata.row_index").alias(_ROW)
    )


def append(rows: DataFrame, path: str) -> None:
    """Adds rows to a table, with the transaction id that the session has."""
    if fast_paths_enabled():
        Transaction(rows.sparkSession, path).append(rows)
    else:
        rows.write.format("delta").mode("append").save(path)


def replace_all(rows: DataFrame, path: str, version: int) -> None:
    """Puts these rows in the place of all rows of a table, whose newest version is given."""
    if fast_paths_enabled() and Transaction(rows.sparkSession, path).replace_all(rows, version):
        return
    # All rows by a condition: a plain overwrite would drop the table's clustering.
    every_row = rows.write.format("delta").mode("overwrite").option("replaceWhere", "true")
    every_row.save(path)


class Transaction:
    """A transaction on the table at a path, which begins when the object is made."""

    def __init__(self, spark: SparkSession, path: str):
        jvm: Any = spark._jvm
        self._jvm, self._spark, self._session = jvm, spark, spark._jsparkSession
        self._none = jvm.scala.Option.empty()
        self._actions = jvm.org.apache.spark.sql.delta.actions
        self._nil = scala_object(jvm, "scala.collection.immutable.Nil")
        self._helper = scala_object(jvm, f"{_COMMANDS}.DMLWithDeletionVectorsHelper")
        self._log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self._session, path)
        self._transaction = self._log.startTransaction(self._none, self._none)
        self._snapshot = self._transaction.snapshot()

    @property
    def columns(self) -> StructType:
        """The table's columns."""
        return StructType.fromJson(json.loads(self._snapshot.schema().json()))

    @property
    def layout(self) -> tuple[list[str], list[str]] | None:
        """The columns that the table is partitioned and clustered by.

        None if the last commit has no checksum: then only a Spark job could say.
        """
        checksum = optional(self._snapshot.checksumOpt())
        domains = None if checksum is None else optional(checksum.domainMetadata())
        if domains is None:
            return None
        layouts = [
            json.loads(domain.configuration())
            for domain in listed(domains)
            if domain.domain() == _CLUSTERING
        ]
        clustering = [".".join(path) for each in layouts for path in each["clusteringColumns"]]
        return listed(self._snapshot.metadata().partitionColumns()), clustering

    def create(self, rows: DataFrame, columns: StructType, dataset: Dataset) -> None:
        """Makes the table, with the dataset's comment, properties and clustering, and fills it."""
        self._transaction.updateMetadataForNewTable(self._metadata(columns, dataset))
        names = {name.lower(): name for name in columns.names}
        clustering = self._clustering([names[name.lower()] for name in dataset.cluster_by])
        self._commit(clustering, rows, self._write("Append"))

    def append(self, rows: DataFrame) -> None:
        """Adds rows."""
        self._commit(self._nil, rows, self._write("Append"))

    def replace_rows(self, old: DataFrame, new: DataFrame) -> None:
        """Deletes the rows `old`, which `with_positions` found, and adds the rows `new`.

        The phases are those of Delta's DELETE with deletion vectors, with an append after them.
        """
        candidates = self._transaction.filterFiles()
        bitmaps = self._mark_rows(old, candidates)
        removed = self._attach_bitmaps(bitmaps, candidates)
        with settings(self._spark, _NO_METRICS):
            self._commit(removed, new, self._merge())

    def replace_all(self, rows: DataFrame, version: int) -> bool:
        """Puts these rows in the place of all rows of the table's `version`.

        False, and nothing is done, if that version is not the newest, or if its checksum does not
        list its files.
        """
        checksum = optional(self._snapshot.checksumOpt())
        if self._snapshot.version() != version or checksum is None:
            return False
        files = optional(checksum.allFiles())
        if files is None:
            return False
        self._transaction.readWholeTable()
        now = time.time_ns() // 1_000_000
        removed = self._nil
        for file in listed(files):
            removed = removed.appended(file.removeWithTimestamp(now, True))
        self._commit(removed, rows, self._write("Overwrite"))
        return True

    # --- the three phases of replace_rows: bitmaps of old rows, removed files, one commit

    def _mark_rows(self, old: DataFrame, candidates: Any) -> Any:
        """A bitmap of the old rows' positions for each file that has some; one Spark job."""
        option = self._jvm.scala.Option
        file, row = (option.apply(F.col(name)._jc) for name in (_FILE, _ROW))
        literals = scala_object(self._jvm, "org.apache.spark.sql.catalyst.expressions.Literal")
        generator = scala_object(self._jvm, f"{_COMMANDS}.DeletionVectorBitmapGenerator")
        return generator.buildRowIndexSetsForFilesMatchingCondition(
            self._session,
            self._transaction,
            True,  # the table may have deletion vectors already
            old.select(_FILE, _ROW)._jdf,
            candidates,
            literals.TrueLiteral(),
            file,
            row,
        )

    def _attach_bitmaps(self, bitmaps: Any, candidates: Any) -> Any:
        """The actions that remove those files and add them again with their deletion vectors."""
        by_path = self._helper.generateCandidateFileMap(self._log.dataPath(), candidates)
        touched = self._helper.findFilesWithMatchingRows(self._transaction, by_path, bitmaps)
        actions_and_metrics = self._helper.processUnmodifiedData(
            self._session, touched, self._snapshot, 0
        )
        return actions_and_metrics._1()

    # --- a new table

    def _metadata(self, columns: StructType, dataset: Dataset) -> Any:
        actions, scala_map = self._actions, self._jvm.org.apache.spark.api.python.PythonUtils
        properties = dict(dataset.table_properties)
        if dataset.cluster_by:
            properties["delta.feature.clustering"] = "supported"  # goes into the protocol
        return actions.Metadata(
            str(uuid.uuid4()),
            None,  # a name, which Delta leaves to the catalog
            dataset.comment or None,
            actions.Format("parquet", scala_map.toScalaMap({})),
            columns.json(),
            self._nil,  # no partitions
            scala_map.toScalaMap(properties),
            self._jvm.scala.Option.apply(time.time_ns() // 1_000_000),
        )

    def _clustering(self, columns: Sequence[str]) -> Any:
        """The action that clusters the table, in a list; an empty one without columns."""
        if not columns:
            return self._nil
        paths = {"clusteringColumns": [[name] for name in columns], "domainName": _CLUSTERING}
        return self._nil.appended(
            self._actions.DomainMetadata(_CLUSTERING, json.dumps(paths), False)
        )

    def _commit(self, actions: Any, rows: DataFrame, operation: Any) -> None:
        """Writes the new rows' files and commits all actions with the session's transaction id."""
        added = self._transaction.writeFiles(rows._jdf)
        transaction_id = self._helper.createSetTransaction(self._session, self._log, self._none)
        self._transaction.commit(actions.concat(added).concat(transaction_id), operation)

    # --- how the history names a commit: Delta's case classes, their options left empty

    def _write(self, mode: str) -> Any:
        write = getattr(self._jvm.org.apache.spark.sql.delta, "DeltaOperations$Write")
        return write(getattr(self._jvm.org.apache.spark.sql.SaveMode, mode), *[self._none] * 8)

    def _merge(self) -> Any:
        merge = getattr(self._jvm.org.apache.spark.sql.delta, "DeltaOperations$Merge")
        return merge(*[self._none] * 4, *[self._nil] * 3)
