"""gold_fraud_flag: the fraud indicators each claim shows, with their evidence."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.fraud import circumstances, sharers
from dlt_pipelines.transforms.fraud.flags import Rules, flags, with_evidence
from dlt_pipelines.transforms.fraud.peers import peer_statistics
from dlt_pipelines.transforms.versions import current

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Fraud indicators: one row per claim and rule it shows, as at the latest valuation."
    " A flag refers a claim to a person; it never declines one",
    table_properties={"quality": "gold"},
    schema="""
        claim_id BIGINT COMMENT 'key of the claim',
        rule STRING COMMENT 'see ref_rule',
        points BIGINT COMMENT 'what a flag adds to the score',
        policy_id BIGINT COMMENT 'key of the term',
        days_since_inception INT COMMENT 'from the first term of the policy number to the loss',
        peer_group STRING COMMENT 'policy type / cause / severity',
        peer_n BIGINT COMMENT 'claims in the group, this one included',
        peer_median DOUBLE COMMENT 'incurred',
        peer_ratio DOUBLE COMMENT 'incurred / median',
        robust_z DOUBLE COMMENT '0.6745 * (ln incurred - median) / MAD',
        sharers BIGINT COMMENT 'parties in different households and policies',
        evidence STRING COMMENT 'dates and figures, never an identifier'
    """,
)
def gold_fraud_flag() -> DataFrame:
    """See transforms/fraud/flags.py for the rules."""
    rules = settings.fraud_rules(spark)
    claims = spark.read.table("fraud_claim")
    return flags(with_evidence(claims, _evidence(claims, rules)), rules)


def _evidence(claims: DataFrame, rules: Rules) -> list[DataFrame]:
    involved = spark.read.table("silver_claim_party")
    limits = current(spark.read.table("silver_coverage")).select("coverage_id", "limit_amount")
    segments = spark.read.table("segment_on_risk").join(limits, "coverage_id")
    owners = sharers.claim_owners(
        claims,
        spark.read.table("silver_party"),
        spark.read.table("silver_party_address"),
        settings.household_size(spark),
    )
    increase, cancelled = rules["cover_increase"], rules["cancelled_then_claimed"]
    return [
        circumstances.cover_at_loss(claims, segments, increase.parameter, increase.window_days),
        circumstances.repeats(claims, involved, rules["repeat_claims"].window_days),
        circumstances.overdue_premium(
            claims,
            spark.read.table("silver_invoice"),
            spark.read.table("silver_payment"),
            cancelled.window_days,
        ),
        sharers.sharers(owners, involved, spark.read.table("silver_claim_transaction")),
        peer_statistics(claims, rules["robust_outlier"].minimum_peers),
    ]
