"""gold_ldf: development factors of every triangle."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings
from dlt_pipelines.transforms.reserving.chain_ladder import development_factors

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Development factors: one row per segment (and ALL), measure, average and age",
    table_properties={"quality": "gold"},
    schema="""
        segment STRING COMMENT 'policy type, UNKNOWN, or ALL',
        measure STRING COMMENT 'of gold_triangle',
        average STRING COMMENT 'volume, simple, volume_3, volume_5, volume_closed, override',
        from_lag_months INT COMMENT 'age at which the factor starts',
        to_lag_months INT COMMENT 'age at which the factor ends',
        ldf DOUBLE COMMENT 'cumulative at the next age / at this age; null if the base is 0',
        cdf_to_ultimate DOUBLE COMMENT 'product of this and all later factors, and the tail',
        zero_bases BIGINT COMMENT 'origin years whose cumulative at this age is 0',
        selected BOOLEAN COMMENT 'gold_ultimate uses this factor'
    """,
)
def gold_ldf() -> DataFrame:
    """See transforms/reserving/chain_ladder.py for the rules."""
    return development_factors(
        spark.read.table("gold_triangle"),
        spark.read.table("ref_valuation").where("is_year_end"),
        spark.read.table("ref_selected_ldf"),
        settings.ldf_average(spark),
        settings.tail_factor(spark),
    )
