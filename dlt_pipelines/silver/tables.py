"""silver_<table>: the source table as it is now, or with its history, by AUTO CDC.

The way there is a view, changes_<table>: typed, in sequence, key updates split, identifiers
masked, and without the rows that quarantine_<table> keeps.
"""

import dlt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines import dms, quality, settings
from dlt_pipelines.source_tables import SOURCE_TABLES, History, SourceTable
from dlt_pipelines.transforms.changes import changes_to_apply, typed_changes

spark: SparkSession  # put here by the pipeline runtime


def declare_changes(table: SourceTable) -> None:
    """Declares the view from which the silver table of one source table is fed."""

    @dlt.view(name=f"changes_{table.name}", comment=f"Valid changes of {table.name}, in sequence")
    @dlt.expect_all_or_drop(quality.drop_rules(table))
    @dlt.expect_all(quality.raw_warn_rules(table))
    def changes() -> DataFrame:
        """A stream of the typed changes, with personal identifiers masked."""
        typed = typed_changes(spark.readStream.table(f"bronze_{table.name}"), table)
        return changes_to_apply(typed, table, settings.pii_salt(spark))


def declare_target(table: SourceTable) -> None:
    """Declares the silver table of one source table and the flow that feeds it."""
    versions = table.history is History.VERSIONS
    dlt.create_streaming_table(
        name=f"silver_{table.name}",
        comment=f"{table.name}: {table.grain}",
        table_properties={"quality": "silver"},
        cluster_by=list(table.cluster_by) or None,
        expect_all=quality.warn_rules(table),
    )
    dlt.apply_changes(
        target=f"silver_{table.name}",
        source=f"changes_{table.name}",
        keys=list(table.keys),
        # The order is that of the change sequence alone; the commit time comes along for history,
        # which needs a time as its start. A clock that goes back at the source reorders nothing.
        sequence_by=F.struct("_seq", "_commit_ts") if versions else F.col("_seq"),
        apply_as_deletes=F.expr(dms.IS_DELETE),
        column_list=list(table.columns),
        stored_as_scd_type=2 if versions else 1,
        # An update that only touches updated_at says nothing new: no version for it.
        track_history_except_column_list=["updated_at"] if versions else None,
    )


for source in SOURCE_TABLES:
    declare_changes(source)
    declare_target(source)
