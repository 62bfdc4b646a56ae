"""ref_valuation: the dates at which gold values the book."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import settings
from dlt_pipelines.transforms.valuation import valuation_dates

spark: SparkSession  # put here by the pipeline runtime

# Where the business writes down a day, and in which column.
BUSINESS_DATES = {
    "silver_premium_transaction": "booked_on",
    "silver_claim_transaction": "accounting_date",
    "silver_policy_version": "booked_at",
    "silver_payment": "paid_at",
}


@dlt.table(
    comment="Valuation dates: one row per date. Year ends since the first loss, the last twelve"
    " month ends, and the latest closed day",
    table_properties={"quality": "gold"},
    schema="""
        valuation_date DATE COMMENT 'everything booked by the end of this day counts',
        is_year_end BOOLEAN COMMENT '31 December',
        is_month_end BOOLEAN COMMENT 'last day of a month',
        is_latest BOOLEAN COMMENT 'the valuation of every table that has only one'
    """,
)
def ref_valuation() -> DataFrame:
    """Dates from the data or from insurance.valuation_date, never from the clock."""
    claims = spark.read.table("silver_claim").where("__END_AT IS NULL")
    business = claims.select(F.to_date("reported_at").alias("business_date"))
    for table, column in BUSINESS_DATES.items():
        dates = spark.read.table(table).select(F.to_date(column).alias("business_date"))
        business = business.unionByName(dates)
    newest = spark.read.table("rows_delivered")
    return valuation_dates(business, claims, newest, settings.valuation_date(spark))
