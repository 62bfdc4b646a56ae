"""party_survivor: which party a merged one lives on in; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.transforms.customers.parties import survivors

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Merged parties: one row per merged party and its survivor",
    table_properties={"quality": "gold"},
    temporary=True,
)
def party_survivor() -> DataFrame:
    """A table and not a view, because every join of parties reads it."""
    return survivors(spark.read.table("silver_party"))
