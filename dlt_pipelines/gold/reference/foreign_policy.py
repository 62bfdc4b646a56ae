"""foreign_policy: the policies in another currency and what it is worth; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.exchange import closing_rates, foreign_policies

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Policies in another currency: one row per policy, with the closing rate of the latest"
    " valuation",
    table_properties={"quality": "gold"},
    temporary=True,
)
def foreign_policy() -> DataFrame:
    """`closing_rate` is null where ref_exchange_rate has none; see transforms/exchange.py."""
    rates = closing_rates(
        spark.read.table("ref_exchange_rate"), spark.read.table("ref_valuation").where("is_latest")
    )
    policies = foreign_policies(
        spark.read.table("silver_policy"), settings.reporting_currency(spark)
    )
    return policies.join(rates.drop("valuation_date"), "currency", "left")
