"""gold_glm_exposure: the rows that risk models are fitted on."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.premium import premium_by_type
from dlt_pipelines.transforms.pricing.factors import rating_factors
from dlt_pipelines.transforms.pricing.glm_exposure import (
    model_rows,
    placed_claims,
    with_development,
)

spark: SparkSession  # put here by the pipeline runtime

_COLUMNS = """
    coverage_id BIGINT COMMENT 'null for claims and premium of no coverage',
    calendar_year INT COMMENT 'of exposure, loss and earning',
    segment_no INT COMMENT '1; 0 for claims and premium that meet no exposure',
    policy_id BIGINT COMMENT 'key of the term',
    policy_number STRING COMMENT 'split training and test data by it, never by row',
    exposure DOUBLE COMMENT 'unit years, calendar basis',
    ln_exposure DOUBLE COMMENT 'offset of a frequency model; null without exposure',
    claim_count BIGINT COMMENT 'reported by the valuation',
    incurred DECIMAL(18,2) COMMENT 'net of recoveries, at the valuation',
    incurred_capped DECIMAL(18,2) COMMENT 'each claim at most at the large-loss cap',
    earned_premium DECIMAL(18,2) COMMENT 'earned in the year, by the valuation',
    written_premium DECIMAL(18,2) COMMENT 'in the year in which its earning starts',
    valuation_date DATE COMMENT 'everything booked by the end of this day counts',
    dev_months INT COMMENT 'age of the year at the valuation',
    area_code STRING COMMENT 'this and all factors: as known at the start of the segment',
    region_code STRING COMMENT 'of the insured object',
    channel STRING COMMENT 'of the agent',
    usage_code STRING COMMENT 'of the vehicle',
    object_class STRING COMMENT 'of the insured object',
    power_class STRING COMMENT 'of the vehicle',
    make STRING COMMENT 'of the vehicle',
    fuel_type STRING COMMENT 'of the vehicle',
    deductible STRING COMMENT 'amount',
    payment_plan STRING COMMENT 'of the term',
    coverage STRING COMMENT 'coverage code',
    driver_age_band STRING COMMENT 'age at the start of the term',
    vehicle_age_band STRING COMMENT 'year of the start of the term - model year',
    ncd_band STRING COMMENT 'bonus level, percent of the full premium',
    density_band STRING COMMENT 'people per square kilometre',
    tenure_band STRING COMMENT 'term number',
    policy_type STRING COMMENT 'segment of the book; UNKNOWN without a policy',
    paid_claim_count BIGINT COMMENT 'claims with a payment',
    incurred_paid_claims DECIMAL(18,2) COMMENT 'incurred of claims with a payment'
"""


@dlt.table(
    comment="Model data: one row per coverage segment, calendar year and segment number, as at the"
    " latest valuation. Exposure and claims add up to gold_exposure_segment and gold_claim_kpi",
    table_properties={"quality": "gold"},
    cluster_by=["policy_type", "calendar_year"],
    schema=_COLUMNS,
)
@dlt.expect_all(rules_of("gold_glm_exposure"))
def gold_glm_exposure() -> DataFrame:
    """See transforms/pricing/ for the rules."""
    latest = spark.read.table("ref_valuation").where("is_latest").select("valuation_date")
    policies, coverages = spark.read.table("silver_policy"), spark.read.table("silver_coverage")
    positions = spark.read.table("gold_claim_position").join(F.broadcast(latest), "valuation_date")
    claims = placed_claims(
        positions, spark.read.table("silver_claim"), spark.read.table("segment_on_risk")
    )
    booked = premium_by_type(spark.read.table("premium_ledger"), policies, latest)
    rows = model_rows(spark.read.table("gold_exposure_segment"), claims, booked)
    described = rating_factors(
        with_development(rows, latest),
        coverages,
        spark.read.table("silver_risk_object"),
        policies,
        spark.read.table("silver_agent"),
        spark.read.table("ref_band"),
    )
    names = [line.split()[0] for line in _COLUMNS.strip().splitlines()]
    return described.select(*names)
