"""quarantine_<table>: the rows silver did not take, as they came, with the rules they broke."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import quality
from dlt_pipelines.source_tables import SOURCE_TABLES, SourceTable
from dlt_pipelines.transforms.changes import typed_changes

spark: SparkSession  # put here by the pipeline runtime


def declare(table: SourceTable) -> None:
    """Declares the quarantine of one source table: one row per refused row of a file."""

    @dlt.table(
        name=f"quarantine_{table.name}",
        comment=f"Refused rows of {table.name}: one row per row of a file that breaks a drop rule",
        table_properties={"quality": "quarantine"},
    )
    def refused() -> DataFrame:
        """A stream of the rows that break a drop rule, with the names of these rules."""
        typed = typed_changes(spark.readStream.table(f"bronze_{table.name}"), table)
        rules = quality.drop_rules(table)
        refused_rows = typed.where(quality.any_broken(rules))
        reasons = f"{quality.broken(rules)} AS _reasons"
        return refused_rows.selectExpr(reasons, "_wrong_type", "_raw.*")


for source in SOURCE_TABLES:
    declare(source)
