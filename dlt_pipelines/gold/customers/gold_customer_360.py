"""gold_customer_360: every customer at every valuation date."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.customers.activity import contacts, overdue
from dlt_pipelines.transforms.customers.customer_360 import (
    claims_in_window,
    customer_360,
    customers,
    earned_in_window,
    terms_in_window,
)
from dlt_pipelines.transforms.customers.homes import addresses_at
from dlt_pipelines.transforms.premium import premium_by_type

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Customers: one row per party and valuation date (ref_valuation) from the binding of"
    " its first term on. Merged parties count as their survivor; erased ones have no row",
    table_properties={"quality": "gold"},
    cluster_by=["valuation_date", "party_id"],
    schema="""
        party_id BIGINT COMMENT 'key of the party, the survivor of merged ones',
        valuation_date DATE COMMENT 'everything booked by the end of this day counts',
        policies_in_force BIGINT COMMENT 'distinct policy numbers',
        distinct_lines BIGINT COMMENT 'lines of business in force; 2 or more: multi-product',
        in_force_premium DECIMAL(18,2) COMMENT 'annual premium in force',
        tenure_years INT
            COMMENT 'highest term number in force, or whole years since the first start if more',
        channel STRING COMMENT 'of the agent of the term bound last',
        claims_36m BIGINT COMMENT 'losses in the 36 months to the valuation, reported by it',
        incurred_36m DECIMAL(18,2) COMMENT 'of these claims, net of recoveries',
        loss_ratio_36m DOUBLE COMMENT 'incurred_36m / earned_premium_36m',
        last_contact_on DATE COMMENT 'first quote, binding, change, cancellation or claim report',
        overdue_invoices BIGINT COMMENT 'due before the valuation, not settled, not written off',
        next_expiry_on DATE COMMENT 'first end of a term in force',
        age_band STRING COMMENT 'whole years at the valuation, by ref_band',
        postal_area STRING COMMENT 'first two characters of the postal code',
        earned_premium_36m DECIMAL(18,2) COMMENT 'earned in the 36 months to the valuation',
        terms_36m BIGINT COMMENT 'terms that started in the 36 months to the valuation',
        last_bound_or_paid_on DATE COMMENT 'latest binding or settled payment'
    """,
)
@dlt.expect_all(rules_of("gold_customer_360"))
def gold_customer_360() -> DataFrame:
    """See transforms/customers/ for the rules."""
    terms, valuations = spark.read.table("customer_term"), spark.read.table("ref_valuation")
    owners = terms.select("policy_id", "party_id")
    payments = spark.read.table("silver_payment")
    booked = premium_by_type(
        spark.read.table("premium_ledger"),
        spark.read.table("silver_policy"),
        valuations.where("is_latest"),
    )
    links = spark.read.table("party_survivor")
    return customer_360(
        customers(terms, valuations),
        spark.read.table("customer_line"),
        [
            terms_in_window(terms, valuations),
            claims_in_window(spark.read.table("gold_claim_position"), owners),
            earned_in_window(booked, owners, valuations),
            overdue(spark.read.table("silver_invoice"), payments, owners, valuations),
        ],
        contacts(
            terms,
            spark.read.table("silver_policy_version"),
            spark.read.table("silver_claim"),
            payments,
        ),
        addresses_at(spark.read.table("silver_party_address"), links, valuations),
        spark.read.table("silver_party"),
        spark.read.table("ref_band"),
        valuations,
    )
