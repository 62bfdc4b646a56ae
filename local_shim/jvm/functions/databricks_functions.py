"""SQL functions of Databricks that Spark has under another name.

[choice] Whoever runs a pipeline here is in no group: `is_member` and `is_account_group_member` are
false.

Read from Spark 4.2.0: `sql/catalyst/…/analysis/FunctionRegistry.scala` (lookupFunctionBuilder,
registerFunction) and `catalyst/identifiers.scala` (a built-in function is `system.builtin.name`).
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

_NAMES_IN_SPARK = {
    "iff": "if",
    "getdate": "current_timestamp",
    "charindex": "locate",
    # False, as the name of a group is never NULL.
    "is_member": "isnull",
    "is_account_group_member": "isnull",
}


def register_databricks_functions(spark: SparkSession) -> None:
    """Makes these functions built-in ones of the session and of its clones."""
    jvm: Any = spark._jvm
    registry = spark._jsparkSession.sessionState().functionRegistry()
    some = jvm.scala.Option.apply
    identifier = jvm.org.apache.spark.sql.catalyst.FunctionIdentifier
    for name, name_in_spark in _NAMES_IN_SPARK.items():
        existing = identifier(name_in_spark, some("builtin"), some("system"))
        builder = registry.lookupFunctionBuilder(existing).get()
        info = registry.lookupFunction(existing).get()
        registry.registerFunction(identifier(name, some("builtin"), some("system")), info, builder)
