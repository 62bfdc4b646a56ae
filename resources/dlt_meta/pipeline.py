"""Runs the flows of the onboarding files with dlt-meta: bronze, or silver, as `layer` says.

dlt-meta's licence allows its use with Databricks; install it there, and into an environment of its
own elsewhere. How rows are typed, masked and kept out is the same code as in dlt_pipelines.
"""

from databricks.labs.sdp_meta.dataflow_pipeline import DataflowPipeline
from databricks.labs.sdp_meta.dataflow_spec import BronzeDataflowSpec, SilverDataflowSpec
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import quality, settings
from dlt_pipelines.source_tables import SOURCE_TABLES
from dlt_pipelines.transforms.changes import as_written, changes_to_apply, typed_changes

spark: SparkSession  # put here by the pipeline runtime

TABLES = {
    f"{layer}_{table.name}": table for layer in ("bronze", "silver") for table in SOURCE_TABLES
}


def delivered_rows(files: DataFrame, flow: BronzeDataflowSpec) -> DataFrame:
    """The rows of a table's files, NULL where AWS DMS wrote its marker for it."""
    table = TABLES[flow.targetDetails["table"]]
    return as_written(files, table, settings.dms_null_value(spark))


def valid_changes(bronze: DataFrame, flow: SilverDataflowSpec) -> DataFrame:
    """The rows of a bronze table that AUTO CDC applies to its silver table."""
    table = TABLES[flow.targetDetails["table"]]
    changes = changes_to_apply(typed_changes(bronze, table), table, settings.pii_salt(spark))
    return changes.where(" AND ".join(f"({rule})" for rule in quality.drop_rules(table).values()))


DataflowPipeline.invoke_dlt_pipeline(
    spark,
    spark.conf.get("layer"),
    bronze_custom_transform_func=delivered_rows,
    silver_custom_transform_func=valid_changes,
)
