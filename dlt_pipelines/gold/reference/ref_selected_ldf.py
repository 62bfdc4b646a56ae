"""ref_selected_ldf: development factors that an actuary set by hand."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings

spark: SparkSession  # put here by the pipeline runtime

_COLUMNS = """
    segment STRING COMMENT 'policy type, UNKNOWN, or ALL',
    measure STRING COMMENT 'of gold_triangle',
    from_lag_months INT COMMENT 'age at which the factor starts',
    ldf DOUBLE COMMENT 'takes the place of the computed factor'
"""


@dlt.table(
    comment="Factors set by hand: one row per segment, measure and age; none by default",
    table_properties={"quality": "gold"},
    schema=_COLUMNS,
)
def ref_selected_ldf() -> DataFrame:
    """From insurance.selected_ldf.<segment>.<measure>.<age in months>."""
    return spark.createDataFrame(settings.selected_ldfs(spark), _COLUMNS)
