"""gold_concentration: the share of claims that few customers cause."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.transforms.customers.concentration import concentration

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Concentration: one row per valuation date (the latest) and top percent of customers",
    table_properties={"quality": "gold"},
    schema="""
        valuation_date DATE COMMENT 'everything booked by the end of this day counts',
        top_share_pct INT COMMENT '1, 5, 10 or 20 percent of the customers',
        customers BIGINT COMMENT 'rounded up',
        incurred DECIMAL(18,2) COMMENT 'of these customers, net of recoveries, all years',
        share_of_total DOUBLE COMMENT 'incurred / net incurred of all claims'
    """,
)
def gold_concentration() -> DataFrame:
    """See transforms/customers/concentration.py for the rules."""
    latest = spark.read.table("ref_valuation").where("is_latest").select("valuation_date")
    positions = spark.read.table("gold_claim_position").join(F.broadcast(latest), "valuation_date")
    return concentration(positions, spark.read.table("customer_term"))
