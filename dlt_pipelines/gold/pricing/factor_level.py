"""factor_level: sums of gold_glm_exposure by factor and level; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.transforms.pricing.factors import level_sums

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Sums by factor: one row per factor, level, policy type and coverage",
    table_properties={"quality": "gold"},
    temporary=True,
)
def factor_level() -> DataFrame:
    """A table and not a view, because gold_oneway and gold_actual_expected read it."""
    return level_sums(spark.read.table("gold_glm_exposure"))
