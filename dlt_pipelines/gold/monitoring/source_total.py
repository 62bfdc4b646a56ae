"""source_total: what the source counted of itself, as delivered; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import dms, settings
from dlt_pipelines.source_tables import CONTROL_TABLE
from dlt_pipelines.transforms.changes import as_written

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Counts of the source: one row per row of a file of its control table",
    # At a full refresh the files may no longer be in the landing folder.
    table_properties={"quality": "bronze", "pipelines.reset.allowed": "false"},
    temporary=True,
)
def source_total() -> DataFrame:
    """Like a bronze table, but with no silver: gold_reconciliation reads the last counts."""
    files = spark.readStream.format("cloudFiles").options(**dms.reader_options(CONTROL_TABLE))
    fields = files.load(dms.folder(settings.landing(spark), CONTROL_TABLE))
    return as_written(fields, CONTROL_TABLE, settings.dms_null_value(spark))
