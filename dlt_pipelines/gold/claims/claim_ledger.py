"""claim_ledger: the claim ledger in the reporting currency; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.transforms.exchange import (
    converted,
    foreign_claims,
    foreign_policies,
    with_rate,
)

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="The claim ledger in the reporting currency: one row per booking with a rate",
    table_properties={"quality": "gold"},
    temporary=True,
)
def claim_ledger() -> DataFrame:
    """At the average rate of the month of the booking, with `currency` and the `own_amount`.

    gold_claim_position values reserves at the closing rate of its valuation instead.
    """
    policies = foreign_policies(
        spark.read.table("silver_policy"), settings.reporting_currency(spark)
    )
    ledger = spark.read.table("silver_claim_transaction")
    rated = with_rate(
        ledger.withColumn("own_amount", F.col("amount")),
        foreign_claims(spark.read.table("silver_claim"), policies),
        spark.read.table("ref_exchange_rate"),
        "claim_id",
        "accounting_date",
    )
    return converted(rated, "amount")
