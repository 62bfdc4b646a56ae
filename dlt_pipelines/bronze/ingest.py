"""bronze_<table>: every row of every file of a source table, as text, with its file."""

import dlt
from pyspark.sql import DataFrame, SparkSession

from dlt_pipelines import dms, settings
from dlt_pipelines.source_tables import SOURCE_TABLES, SourceTable
from dlt_pipelines.transforms.changes import as_written

spark: SparkSession  # put here by the pipeline runtime


def declare(table: SourceTable) -> None:
    """Declares the bronze table of one source table (a function, so that the loop value binds)."""

    @dlt.table(
        name=f"bronze_{table.name}",
        comment=f"Change files of {table.name}: one row per row of a file, text as delivered",
        # At a full refresh the files may no longer be in the landing folder.
        table_properties={"quality": "bronze", "pipelines.reset.allowed": "false"},
    )
    def ingest() -> DataFrame:
        """A stream of the change files in the landing folder, each field as text."""
        files = spark.readStream.format("cloudFiles").options(**dms.reader_options(table))
        folder = dms.folder(settings.landing(spark), table)
        fields = files.load(folder).selectExpr("*", "_metadata.file_path AS _file")
        return as_written(fields, table, settings.dms_null_value(spark))


for source in SOURCE_TABLES:
    declare(source)
