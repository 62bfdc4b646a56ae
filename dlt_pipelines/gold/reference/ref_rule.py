"""ref_rule: the fraud indicators with their parameters and points."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import settings

spark: SparkSession  # put here by the pipeline runtime

_COLUMNS = """
    rule_id STRING COMMENT 'key of insurance.fraud_rule.<rule_id>.<attribute>',
    rule STRING COMMENT 'as in gold_fraud_flag',
    points INT COMMENT 'what a flag adds to the score',
    meaning STRING COMMENT 'what the rule looks for',
    parameter DECIMAL(10,4) COMMENT 'a number the rule compares with; 0 if unused',
    window_days INT COMMENT 'days the rule looks back; 0 if unused',
    minimum_peers INT COMMENT 'claims a peer group needs; 0 if unused',
    causes ARRAY<STRING> COMMENT 'cause codes the rule looks at',
    active BOOLEAN COMMENT 'whether it raises flags'
"""


@dlt.table(
    comment="Fraud indicators: one row per rule and level, as gold_fraud_flag applies them",
    table_properties={"quality": "gold"},
    schema=_COLUMNS,
)
def ref_rule() -> DataFrame:
    """Defaults of dlt_pipelines/fraud_rules.py, and the configuration over them."""
    rules = settings.fraud_rules(spark).values()
    rows = [
        (
            rule.rule_id, rule.rule, rule.points, rule.meaning, rule.parameter, rule.window_days,
            rule.minimum_peers, list(rule.causes), rule.active,
        )
        for rule in rules
    ]  # fmt: skip
    return spark.createDataFrame(rows, _COLUMNS)
