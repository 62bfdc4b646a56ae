"""gold_identity: figures that several tables give, which must agree."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.monitoring.identities import FIGURES, identities

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Identities: one row per figure that several tables give, and part of the business, as"
    " at the latest valuation",
    table_properties={"quality": "gold"},
    schema="""
        figure STRING COMMENT 'such as written premium; transforms/monitoring/identities.py',
        part STRING COMMENT '(all), an accident year, or a year and policy type',
        lowest DECIMAL(28,6) COMMENT 'of the values that the tables give; 0 if one gives none',
        highest DECIMAL(28,6) COMMENT 'of the values that the tables give; 0 if one gives none',
        difference DECIMAL(18,2) COMMENT 'highest - lowest',
        agrees BOOLEAN COMMENT 'difference is not more than rounding explains',
        tables ARRAY<STRING> COMMENT 'tables that give the figure for this part'
    """,
)
@dlt.expect_all(rules_of("gold_identity"))
def gold_identity() -> DataFrame:
    """See transforms/monitoring/identities.py for the figures."""
    latest = spark.read.table("ref_valuation").where("is_latest")
    names = {figures.table for figures in FIGURES} - {"triangle_claim"}
    tables = {name: spark.read.table(name) for name in names}
    tables["triangle_claim"] = tables["gold_claim_position"].where(
        F.col("accident_year")
        >= F.coalesce(settings.first_origin_year(spark).of(F.col("segment")), F.lit(0))
    )
    return identities(tables, latest)
