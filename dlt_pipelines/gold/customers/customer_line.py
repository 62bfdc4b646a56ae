"""customer_line: what each customer has in force, by policy type; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.transforms.customers.customer_line import customer_lines

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Customers' lines: one row per party, valuation date, policy type and line of business"
    " in force",
    table_properties={"quality": "gold"},
    temporary=True,
)
def customer_line() -> DataFrame:
    """A table and not a view, because gold_customer_360 and gold_customer_segment read it."""
    segments = spark.read.table("segment_on_risk")
    terms, valuations = spark.read.table("customer_term"), spark.read.table("ref_valuation")
    return customer_lines(segments, terms, valuations)
