"""gold_claim_position: every claim as it stood at every valuation date."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.claims import claim_positions, claims_with_changes, ledger_totals
from dlt_pipelines.transforms.exchange import closing_rates

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Claims: one row per claim and valuation date (ref_valuation) from its report on."
    " incurred = paid - recovered + case_reserve + recovery_reserve",
    table_properties={"quality": "gold"},
    cluster_by=["valuation_date", "claim_id"],
    schema="""
        claim_id BIGINT COMMENT 'key of the claim',
        valuation_date DATE COMMENT 'everything booked by the end of this day counts',
        claim_number STRING COMMENT 'as people know the claim',
        policy_id BIGINT COMMENT 'key of the term',
        policy_number STRING COMMENT 'of the contract, over all its terms',
        segment STRING COMMENT 'policy type; UNKNOWN for a claim without policy',
        coverage_code STRING COMMENT 'TPL, COLL and so on',
        cause_code STRING COMMENT 'as the source has it',
        catastrophe_code STRING COMMENT 'names the event; null for other claims',
        loss_date DATE COMMENT 'day of the loss',
        accident_year INT COMMENT 'year of the loss',
        reported_on DATE COMMENT 'day of the report',
        report_lag_days INT COMMENT 'days from the loss to the report',
        status STRING COMMENT 'at the valuation date',
        closed_on DATE COMMENT 'of the closing that holds at the valuation date',
        litigated BOOLEAN COMMENT 'whether a court is asked',
        paid DECIMAL(18,2) COMMENT 'indemnity and expense, before recoveries',
        paid_indemnity DECIMAL(18,2) COMMENT 'payments of component INDEMNITY',
        paid_expense DECIMAL(18,2) COMMENT 'payments of component EXPENSE',
        recovered DECIMAL(18,2) COMMENT 'stored positive',
        case_reserve DECIMAL(18,2) COMMENT 'sum of RESERVE bookings by the valuation',
        recovery_reserve DECIMAL(18,2) COMMENT 'stored negative',
        incurred DECIMAL(18,2) COMMENT 'net of recoveries',
        incurred_capped DECIMAL(18,2) COMMENT 'at most the large-loss cap of the segment',
        excess DECIMAL(18,2) COMMENT 'incurred above the cap',
        is_large BOOLEAN COMMENT 'incurred is above the cap'
    """,
)
@dlt.expect_all(rules_of("gold_claim_position"))
def gold_claim_position() -> DataFrame:
    """See transforms/claims.py for the rules."""
    valuations = spark.read.table("ref_valuation")
    return claim_positions(
        claims_with_changes(spark.read.table("silver_claim")),
        ledger_totals(
            spark.read.table("claim_ledger"),
            valuations,
            closing_rates(spark.read.table("ref_exchange_rate"), valuations),
        ),
        spark.read.table("silver_policy"),
        spark.read.table("silver_coverage"),
        valuations,
        settings.large_loss_cap(spark),
    )
