"""ref_exchange_rate: what a unit of another currency is worth in the reporting currency."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings

spark: SparkSession  # put here by the pipeline runtime

_COLUMNS = """
    month DATE COMMENT 'first day of the month',
    currency STRING COMMENT 'ISO 4217',
    average_rate DECIMAL(18,8) COMMENT 'for bookings of the month',
    closing_rate DECIMAL(18,8) COMMENT 'for reserves and fund values at a valuation'
"""


@dlt.table(
    comment="Exchange rates: one row per month and currency; none by default",
    table_properties={"quality": "gold"},
    schema=_COLUMNS,
)
def ref_exchange_rate() -> DataFrame:
    """From insurance.exchange_rate.<currency>.<YYYY-MM>."""
    return spark.createDataFrame(settings.exchange_rates(spark), _COLUMNS)
