"""gold_reserve_movement: case reserves from the opening to the closing of each year."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.reserving.reserve_movement import reserve_movements

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Case reserves: one row per calendar year and segment, and ALL, as at the latest"
    " valuation. closing = opening + set_up + strengthening - release - eroded_by_payment",
    table_properties={"quality": "gold"},
    schema="""
        calendar_year INT COMMENT 'of the accounting date',
        segment STRING COMMENT 'policy type, UNKNOWN, or ALL',
        opening_case_reserve DECIMAL(18,2) COMMENT 'closing of the year before',
        set_up DECIMAL(18,2) COMMENT 'on claims first reserved in the year',
        strengthening DECIMAL(18,2) COMMENT 'increases on older claims',
        release DECIMAL(18,2) COMMENT 'decreases on older claims, stored positive',
        eroded_by_payment DECIMAL(18,2) COMMENT 'taken off next to a payment, stored positive',
        reserve_change DECIMAL(18,2) COMMENT 'closing - opening',
        closing_case_reserve DECIMAL(18,2) COMMENT 'at the year end or the valuation',
        paid DECIMAL(18,2) COMMENT 'payments booked in the year',
        recovered DECIMAL(18,2) COMMENT 'stored positive',
        calendar_year_incurred DECIMAL(18,2) COMMENT 'paid - recovered + reserve_change',
        open_claims BIGINT COMMENT 'open or reopened at the year end or the valuation',
        recovery_reserve_change DECIMAL(18,2)
            COMMENT 'of expected recoveries, stored negative; not in the columns before'
    """,
)
@dlt.expect_all(rules_of("gold_reserve_movement"))
def gold_reserve_movement() -> DataFrame:
    """See transforms/reserving/reserve_movement.py for the rules.

    Reserves in another currency move at the rate of the month of their booking; positions are at
    the closing rate, so that the two differ by what the rate did since.
    """
    valuations = spark.read.table("ref_valuation").where("is_year_end OR is_latest")
    latest = valuations.where("is_latest").select("valuation_date")
    positions = spark.read.table("gold_claim_position").join(
        F.broadcast(valuations.select("valuation_date")), "valuation_date"
    )
    return reserve_movements(spark.read.table("claim_ledger"), positions, latest)
