"""gold_reconciliation: what the source counted, against silver, against what gold adds up."""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.gold_rules import rules_of
from dlt_pipelines.transforms.monitoring.reconciliation import reconciliation, source_counts

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Reconciliation: one row per source table and day on which its rows were last written",
    table_properties={"quality": "gold"},
    cluster_by=["table_name", "day"],
    schema="""
        table_name STRING COMMENT 'table of the source',
        day DATE COMMENT 'on which the source wrote the rows last: an update or a booking',
        source_rows BIGINT COMMENT 'counted by the source; null if it counts nothing',
        silver_rows BIGINT COMMENT 'current rows',
        gold_rows BIGINT COMMENT 'bookings that gold adds up; null for other tables',
        refused_rows BIGINT COMMENT 'change rows in quarantine',
        missing_rows BIGINT COMMENT 'source_rows - silver_rows',
        excluded_rows BIGINT
            COMMENT 'silver_rows - gold_rows: after the valuation, or without an exchange rate',
        source_amount DECIMAL(18,2) COMMENT 'sum, in the currency of the rows',
        silver_amount DECIMAL(18,2) COMMENT 'sum over the current rows',
        gold_amount DECIMAL(18,2) COMMENT 'in the reporting currency',
        missing_amount DECIMAL(18,2) COMMENT 'source_amount - silver_amount',
        explanation STRING COMMENT 'agrees, changed since the count, refused, not delivered,
            or not counted',
        counted_at TIMESTAMP COMMENT 'when the source counted the day last'
    """,
)
@dlt.expect_all(rules_of("gold_reconciliation"))
def gold_reconciliation() -> DataFrame:
    """See transforms/monitoring/reconciliation.py for the rules."""
    return reconciliation(
        source_counts(spark.read.table("source_total")),
        spark.read.table("rows_checked"),
        spark.read.table("rows_refused"),
        _added_up("premium_ledger", "premium_transaction", "booked_on").unionByName(
            _added_up("claim_ledger", "claim_transaction", "accounting_date")
        ),
        spark.read.table("rows_delivered"),
    )


def _added_up(ledger: str, table: str, day: str) -> DataFrame:
    """The bookings of a ledger in the sums of the latest valuation."""
    latest = F.broadcast(spark.read.table("ref_valuation").where("is_latest"))
    bookings = spark.read.table(ledger).crossJoin(latest.select("valuation_date"))
    return bookings.where(f"{day} <= valuation_date").selectExpr(
        f"'{table}' AS table_name", f"{day} AS day", "amount"
    )
