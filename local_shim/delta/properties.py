"""The table properties that Delta knows: whether they are valid, and what they need.

Read from Delta 4.4.0: `spark/…/DeltaConfig.scala` (DeltaConfigs.validateConfigurations).
"""

from __future__ import annotations

from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from local_shim.errors import FlowError
from local_shim.graph.elements import Dataset
from local_shim.jvm.java_errors import root_cause
from local_shim.jvm.scala import scala_object


def check_properties(spark: SparkSession, dataset: Dataset) -> None:
    """Raises FlowError for the first property whose name or value Delta refuses.

    Delta says of a wrong value neither the property nor, often, what is allowed.
    """
    jvm: Any = spark._jvm
    for key, value in dataset.table_properties.items():
        if not key.lower().startswith("delta."):
            continue
        configuration = jvm.PythonUtils.toScalaMap(jvm.java.util.HashMap({key: value}))
        try:
            scala_object(jvm, _CONFIGURATIONS).validateConfigurations(configuration)
        except (PySparkException, Py4JJavaError) as error:
            cause = root_cause(error)
            raise FlowError(
                (cause and cause.condition) or "INVALID_TABLE_PROPERTY",
                f"'{dataset.name}' cannot be created: property '{key}' = '{value}': "
                f"{cause.message if cause else error}",
                where=dataset.where,
                hint="table_properties takes the properties of Delta tables, with valid values",
            ) from error


def needs_statistics(dataset: Dataset) -> bool:
    """Whether Delta refuses files of the table that come without their number of rows."""
    properties = {key.lower(): value for key, value in dataset.table_properties.items()}
    return any(properties.get(key, "false").lower() != "false" for key in _WITH_STATISTICS)


_WITH_STATISTICS = (
    "delta.enablerowtracking",
    "delta.feature.rowtracking",
    "delta.enableicebergcompatv1",
    "delta.enableicebergcompatv2",
)
_CONFIGURATIONS = "org.apache.spark.sql.delta.DeltaConfigs"
