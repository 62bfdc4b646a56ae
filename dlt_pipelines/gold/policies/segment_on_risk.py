"""segment_on_risk: coverage segments that were ever on risk; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.transforms.exchange import at_closing_rate
from dlt_pipelines.transforms.risk import segments_on_risk

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Segments on risk: one row per coverage segment, its annual premium in the reporting"
    " currency",
    table_properties={"quality": "gold"},
    temporary=True,
)
def segment_on_risk() -> DataFrame:
    """See transforms/risk.py for what is on risk, transforms/exchange.py for the premium."""
    segments = segments_on_risk(
        spark.read.table("silver_coverage"), spark.read.table("silver_policy")
    )
    return at_closing_rate(segments, spark.read.table("foreign_policy"), "annual_premium")
