"""gold_anomaly_day: days on which business or the pipeline's own volume stands out."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.transforms.fraud.anomalies import (
    anomalies,
    claim_events,
    policy_events,
    row_events,
)

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Daily anomalies: one row per day, segment (and ALL) and metric, of the days up to the"
    " latest valuation. The baseline is the median of the same weekday in the 8 weeks before",
    table_properties={"quality": "gold"},
    cluster_by=["metric", "day"],
    schema="""
        day DATE COMMENT 'calendar day',
        segment STRING COMMENT 'policy type, UNKNOWN, or ALL',
        metric STRING COMMENT 'new_claims, paid, cancellations, quotes, rows_<source table>',
        value DOUBLE COMMENT 'a count, or an amount for paid',
        baseline DOUBLE COMMENT 'null without an earlier day',
        z DOUBLE COMMENT '0.6745 * (value - baseline) / MAD; null if MAD is 0',
        points BIGINT COMMENT 'earlier days in the baseline, at most 8',
        flagged BOOLEAN COMMENT 'whether the day stands out',
        method STRING COMMENT 'robust_z, poisson (small counts), or none'
    """,
)
def gold_anomaly_day() -> DataFrame:
    """See transforms/fraud/anomalies.py for the rules."""
    latest = spark.read.table("ref_valuation").where("is_latest").select("valuation_date")
    positions = spark.read.table("gold_claim_position").join(F.broadcast(latest), "valuation_date")
    claims = claim_events(positions, spark.read.table("claim_ledger"))
    policies = policy_events(
        spark.read.table("silver_policy"), spark.read.table("silver_policy_version")
    )
    volumes = row_events(spark.read.table("rows_delivered"))
    return anomalies(claims.unionByName(policies), volumes, latest, settings.anomaly_limits(spark))
