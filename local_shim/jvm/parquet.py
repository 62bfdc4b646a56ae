"""The schema in the footer of a Parquet file, read in the driver without a Spark job.

Read from Parquet 1.17.0, `parquet-hadoop/…/hadoop/ParquetFileReader.java` (readFooter), and Spark
4.2.0, `sql/core/…/datasources/parquet/ParquetSchemaConverter.scala`.
"""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType


def footer_schema(spark: SparkSession, path: str) -> StructType:
    """The columns of the local Parquet file at `path`, as Spark would infer them."""
    jvm: Any = spark._jvm
    state = spark._jsparkSession.sessionState()
    file = jvm.org.apache.hadoop.fs.Path("file://" + path)
    reader = jvm.org.apache.parquet.hadoop.ParquetFileReader
    message = reader.readFooter(state.newHadoopConf(), file).getFileMetaData().getSchema()
    parquet = jvm.org.apache.spark.sql.execution.datasources.parquet
    schema = parquet.ParquetToSparkSchemaConverter(state.conf()).convert(message)
    return StructType.fromJson(json.loads(schema.json()))
