"""gold_household: customers who live together."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.customers.homes import addresses_at
from dlt_pipelines.transforms.customers.household import households

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Households: one row per household with a customer, and valuation date",
    table_properties={"quality": "gold"},
    cluster_by=["valuation_date", "household_id"],
    schema="""
        household_id STRING COMMENT 'H and a digest of the home address, or P and the party',
        valuation_date DATE COMMENT 'everything booked by the end of this day counts',
        members BIGINT COMMENT 'parties at the address, with a contract or without',
        policies_in_force BIGINT COMMENT 'sum over the members',
        distinct_lines BIGINT COMMENT 'sum over the members of their distinct lines',
        in_force_premium DECIMAL(18,2) COMMENT 'annual premium, sum over the members',
        is_institution BOOLEAN COMMENT 'more parties at the address than a household has
            (insurance.household_size): not put together'
    """,
)
def gold_household() -> DataFrame:
    """See transforms/customers/household.py for the rules."""
    parties = spark.read.table("silver_party")
    addresses = addresses_at(
        spark.read.table("silver_party_address"),
        spark.read.table("party_survivor"),
        spark.read.table("ref_valuation"),
    )
    erased = parties.where("__END_AT IS NULL AND status = 'ERASED'").select("party_id")
    return households(
        spark.read.table("gold_customer_360"),
        addresses.join(erased, "party_id", "left_anti"),
        settings.household_size(spark),
    )
