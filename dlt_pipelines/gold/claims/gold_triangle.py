"""gold_triangle: development of accident years, by calendar-year diagonals."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.transforms.reserving.triangle import triangle

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Triangles: one row per segment (and ALL), measure, origin year and development age."
    " Age counts in months from the start of the accident year, so that a calendar year is a"
    " diagonal",
    table_properties={"quality": "gold"},
    schema="""
        segment STRING COMMENT 'policy type, UNKNOWN, or ALL',
        measure STRING COMMENT 'paid, incurred, paid_capped_<cap>, reported_count,
            closed_with_payment_count',
        origin_year INT COMMENT 'year of loss',
        dev_lag_months INT COMMENT '12 * (year of the diagonal - origin year + 1)',
        incremental DECIMAL(18,2) COMMENT 'change since the previous diagonal',
        cumulative DECIMAL(18,2) COMMENT 'amount or count at the diagonal'
    """,
)
def gold_triangle() -> DataFrame:
    """See transforms/reserving/triangle.py for the rules."""
    diagonals = spark.read.table("ref_valuation").where("is_year_end OR is_latest")
    positions = spark.read.table("gold_claim_position").join(
        F.broadcast(diagonals.select("valuation_date")), "valuation_date"
    )
    return triangle(positions, settings.large_loss_cap(spark), settings.first_origin_year(spark))
