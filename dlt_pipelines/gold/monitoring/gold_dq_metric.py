"""gold_dq_metric: how often each quality rule was kept and broken, and the money at stake."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import quality
from dlt_pipelines.gold_rules import GOLD_RULES, rules_of
from dlt_pipelines.source_tables import SOURCE_TABLES
from dlt_pipelines.transforms.monitoring.cross_rules import CROSS_RULES
from dlt_pipelines.transforms.monitoring.metrics import metrics

spark: SparkSession  # put here by the pipeline runtime


@dlt.table(
    comment="Data quality: one row per day, table and rule, of days on which the source wrote a row"
    " of the table; of a gold table at the latest valuation",
    table_properties={"quality": "gold"},
    cluster_by=["table_name", "day"],
    schema="""
        day DATE COMMENT 'on which the source wrote the row: an update or a booking; of gold, the
            latest valuation',
        table_name STRING COMMENT 'table of the source, or of gold',
        rule STRING COMMENT 'what must hold; see quality.py, gold_rules.py, transforms/monitoring',
        action STRING COMMENT 'drop (the row is in quarantine) or warn (the row is in the table)',
        passed BIGINT COMMENT 'rows that kept the rule',
        failed BIGINT COMMENT 'rows that broke the rule',
        amount_at_stake DECIMAL(18,2)
            COMMENT 'sum of the absolute amounts of rows that failed; null if they have none'
    """,
)
def gold_dq_metric() -> DataFrame:
    """See transforms/monitoring/metrics.py for what is measured against what."""
    return metrics(
        spark.read.table("rows_delivered"),
        spark.read.table("rows_refused"),
        spark.read.table("rows_checked").unionByName(spark.read.table("gold_rows_checked")),
        spark.read.table("rows_in_doubt"),
        spark.createDataFrame(
            _rules(), "table_name STRING, rule STRING, action STRING, basis STRING"
        ),
    )


def _rules() -> list[tuple[str, str, str, str]]:
    by_table = (
        (quality.drop_rules, "drop", "change"),
        (quality.raw_warn_rules, "warn", "change"),
        (quality.warn_rules, "warn", "row"),
    )
    return [
        *(
            (table.name, rule, action, basis)
            for rules, action, basis in by_table
            for table in SOURCE_TABLES
            for rule in rules(table)
        ),
        *((table, rule, "warn", "cross") for table, rules in CROSS_RULES.items() for rule in rules),
        *((table, rule, "warn", "row") for table in GOLD_RULES for rule in rules_of(table)),
    ]
