"""premium_ledger: the premium ledger in the reporting currency; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.exchange import converted, foreign_policies, with_rate

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="The premium ledger in the reporting currency: one row per booking with a rate",
    table_properties={"quality": "gold"},
    temporary=True,
)
def premium_ledger() -> DataFrame:
    """At the average rate of the month of the booking; see transforms/exchange.py."""
    foreign = foreign_policies(
        spark.read.table("silver_policy"), settings.reporting_currency(spark)
    )
    rated = with_rate(
        spark.read.table("silver_premium_transaction"),
        foreign,
        spark.read.table("ref_exchange_rate"),
        "policy_id",
        "booked_on",
    )
    return converted(rated, "amount", "tax_amount", "commission_amount").drop("currency")
