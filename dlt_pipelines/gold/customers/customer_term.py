"""customer_term: the contracts of each customer; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.transforms.customers.parties import customer_terms

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Customers' terms: one row per policy term of a party, offers too",
    table_properties={"quality": "gold"},
    temporary=True,
)
def customer_term() -> DataFrame:
    """A table and not a view, because every table of customers reads it."""
    return customer_terms(
        spark.read.table("silver_policy"),
        spark.read.table("silver_product"),
        spark.read.table("silver_agent"),
        spark.read.table("party_survivor"),
    )
