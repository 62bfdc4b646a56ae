"""Calls that are refused: actions in dataset functions, and catalog methods without an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_shim.errors import DefinitionError
from local_shim.reading.source_resolver import current_resolver, dataset_function

# Each runs a job when it is called. During analysis there are no rows, so the answer would be
# wrong as well: isEmpty() of an empty frame is always true. head() and first() call these, too;
# checkpoint(), cache() and persist() give frames and are allowed.
FRAME_ACTIONS = (
    "collect",
    "count",
    "foreach",
    "foreachPartition",
    "head",
    "isEmpty",
    "show",
    "tail",
    "take",
    "toArrow",
    "toLocalIterator",
    "toPandas",
    "approxQuantile",
    "corr",
    "cov",
    "inputFiles",
)
WRITER_ACTIONS = ("saveAsTable", "insertInto", "jdbc")
WRITER_V2_ACTIONS = (
    "create",
    "replace",
    "createOrReplace",
    "append",
    "overwrite",
    "overwritePartitions",
)
DELTA_TABLE_ACTIONS = (
    "addFeatureSupport",
    "clone",
    "cloneAtTimestamp",
    "cloneAtVersion",
    "delete",
    "dropFeatureSupport",
    "generate",
    "restoreToTimestamp",
    "restoreToVersion",
    "update",
    "upgradeTableProtocol",
    "vacuum",
)
STREAM_WRITER_ACTIONS = ("start", "toTable")
# Spark's own catalog knows neither the pipeline's datasets nor the tables of the storage.
CATALOG_METHODS = (
    "analyzeTable",
    "cacheTable",
    "createExternalTable",
    "createTable",
    "createDatabase",
    "databaseExists",
    "dropDatabase",
    "dropTable",
    "dropView",
    "getCreateTableString",
    "getDatabase",
    "getTable",
    "getTableProperties",
    "isCached",
    "listCatalogs",
    "listColumns",
    "listDatabases",
    "listPartitions",
    "listTables",
    "listViews",
    "recoverPartitions",
    "setCurrentCatalog",
    "setCurrentDatabase",
    "truncateTable",
    "uncacheTable",
)


def refused_action(name: str) -> Callable[[Any], Any]:
    """A method that raises inside dataset functions and works everywhere else."""

    def replacement(original: Any) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            function = dataset_function()
            if function is not None:
                raise DefinitionError(
                    "ACTION_IN_DATASET_FUNCTION",
                    f"{name}() was called while the query of '{function}' was being built.",
                    hint="a dataset function only describes rows: return the DataFrame; "
                    "call actions at module level",
                )
            return original(self, *args, **kwargs)

        return call

    return replacement


def refused_catalog_method(name: str) -> Callable[[Any], Any]:
    """A method of `spark.catalog` that raises in pipeline code."""

    def replacement(original: Any) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if current_resolver() is not None:
                raise DefinitionError(
                    "CATALOG_METHOD_NOT_SUPPORTED",
                    f"spark.catalog.{name}() does not work in a local run: Spark's catalog knows "
                    "neither this pipeline's datasets nor the tables of the storage.",
                    hint="spark.catalog.tableExists(name) and spark.read.table(name) know both",
                )
            return original(self, *args, **kwargs)

        return call

    return replacement
