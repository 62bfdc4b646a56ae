"""gold_fraud_score: what the fraud indicators of each claim add up to."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.fraud.flags import scores

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Fraud scores: one row per claim reported by the latest valuation."
    " score = min(100, sum of the points of its flags)",
    table_properties={"quality": "gold"},
    schema="""
        claim_id BIGINT COMMENT 'key of the claim',
        score BIGINT COMMENT '0 to 100',
        band STRING COMMENT 'HIGH, MEDIUM or LOW',
        rules ARRAY<STRING> COMMENT 'flags raised, by name',
        siu_status STRING COMMENT 'NONE, REFERRED, CONFIRMED or CLEARED: what came of it'
    """,
)
def gold_fraud_score() -> DataFrame:
    """See transforms/fraud/flags.py for the rules."""
    high, medium = settings.fraud_bands(spark)
    claims, raised = spark.read.table("fraud_claim"), spark.read.table("gold_fraud_flag")
    return scores(claims, raised, high, medium)
