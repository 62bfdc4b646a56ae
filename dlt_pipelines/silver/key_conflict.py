"""key_conflict: keys that came to mean two things; there must be none, or the update fails."""

from functools import reduce

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import quality
from dlt_pipelines.source_tables import SOURCE_TABLES, History
from dlt_pipelines.transforms.conflicts import changed_bookings, shared_codes

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Keys with more than one content: one row per table and key",
    table_properties={"quality": "silver"},
)
@dlt.expect_all_or_fail({"one key, one content": "contents = 1"})
def key_conflict() -> DataFrame:
    """Ledger rows delivered with different content, and product codes of several products."""
    ledgers = [table for table in SOURCE_TABLES if table.history is History.LEDGER]
    changed = [
        changed_bookings(
            spark.read.table(f"bronze_{ledger.name}"), ledger, quality.drop_rules(ledger)
        )
        for ledger in ledgers
    ]
    codes = shared_codes(spark.read.table("silver_product"), "product", "product_code")
    return reduce(DataFrame.unionByName, changed, codes)
