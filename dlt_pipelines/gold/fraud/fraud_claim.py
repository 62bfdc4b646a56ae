"""fraud_claim: the claims that fraud indicators look at; not published."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.transforms.fraud.circumstances import claims_to_judge

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Claims to judge: one row per claim reported by the latest valuation",
    table_properties={"quality": "gold"},
    temporary=True,
)
def fraud_claim() -> DataFrame:
    """A table and not a view, because gold_fraud_flag reads it for each kind of evidence."""
    latest = spark.read.table("ref_valuation").where("is_latest").select("valuation_date")
    return claims_to_judge(
        spark.read.table("gold_claim_position").join(F.broadcast(latest), "valuation_date"),
        spark.read.table("silver_claim"),
        spark.read.table("silver_policy"),
        settings.fraud_rules(spark)["late_report"].parameter,
    )
