"""gold_fund_valuation: what policyholders' fund units are worth."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.exchange import closing_rates
from dlt_pipelines.transforms.funds import fund_valuations, units_known

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Fund units: one row per fund, party and valuation date (ref_valuation)."
    " value = units * bid_price; movement = price_effect + unit_effect",
    table_properties={"quality": "gold"},
    cluster_by=["valuation_date", "fund_code"],
    schema="""
        fund_code STRING COMMENT 'key of the fund',
        party_id BIGINT COMMENT 'key of the party, the survivor of merged ones',
        valuation_date DATE COMMENT 'everything booked by the end of this day counts',
        units DECIMAL(20,6) COMMENT 'held at the valuation',
        bid_price DECIMAL(18,6) COMMENT 'in the currency of the fund; null without a price',
        price_date DATE COMMENT 'last day with a price by the valuation',
        is_stale BOOLEAN COMMENT 'the price is older than insurance.stale_price_days',
        value DECIMAL(18,2) COMMENT 'in the reporting currency; null without a price or a rate',
        price_effect DECIMAL(18,2) COMMENT 'units at the valuation before * change of the price',
        unit_effect DECIMAL(18,2) COMMENT 'change of the units * price',
        pit_fallback BOOLEAN COMMENT 'older than the first recorded version, which stands in'
    """,
)
@dlt.expect_all(rules_of("gold_fund_valuation"))
def gold_fund_valuation() -> DataFrame:
    """See transforms/funds.py for the rules."""
    versions = units_known(spark.read.table("silver_fund_unit"), spark.read.table("silver_policy"))
    valuations = spark.read.table("ref_valuation")
    return fund_valuations(
        versions,
        spark.read.table("silver_fund_price"),
        valuations,
        closing_rates(spark.read.table("ref_exchange_rate"), valuations),
        settings.reporting_currency(spark),
        settings.stale_price_days(spark),
    )
