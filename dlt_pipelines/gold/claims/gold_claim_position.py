"""gold_claim_position: every claim as it stood at every valuation date."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.claims import claim_positions, claims_with_changes, ledger_totals
from dlt_pipelines.transforms.exchange import closing_rates

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Claims: one row per claim and valuation date (ref_valuation) from its report on."
    " incurred = paid - recovered + case_reserve + recovery_reserve",
    table_properties={"quality": "gold"},
    cluster_by=["valuation_date", "claim_id"],
    schema="""
        claim_id BIGINT,
        valuation_date DATE,
        claim_number STRING,
        policy_id BIGINT,
        policy_number STRING,
        segment STRING COMMENT 'policy type; UNKNOWN for a claim without policy',
        coverage_code STRING,
        cause_code STRING,
        catastrophe_code STRING,
        loss_date DATE,
        accident_year INT,
        reported_on DATE,
        report_lag_days INT,
        status STRING COMMENT 'at the valuation date',
        closed_on DATE COMMENT 'of the closing that holds at the valuation date',
        litigated BOOLEAN,
        paid DECIMAL(18,2) COMMENT 'indemnity and expense, before recoveries',
        paid_indemnity DECIMAL(18,2),
        paid_expense DECIMAL(18,2),
        recovered DECIMAL(18,2) COMMENT 'stored positive',
        case_reserve DECIMAL(18,2),
        recovery_reserve DECIMAL(18,2) COMMENT 'stored negative',
        incurred DECIMAL(18,2) COMMENT 'net of recoveries',
        incurred_capped DECIMAL(18,2) COMMENT 'at most the large-loss cap of the segment',
        excess DECIMAL(18,2) COMMENT 'incurred above the cap',
        is_large BOOLEAN COMMENT 'incurred is above the cap'
    """,
)
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
