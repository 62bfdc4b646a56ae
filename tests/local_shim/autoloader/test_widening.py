"""`addNewColumnsWithTypeWidening`: columns grow with the files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import (
    ByteType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    TimestampNTZType,
)

from local_shim.autoloader.type_widening import wider
from tests.pipeline_folder import Pipeline


@pytest.mark.dlt(179)
@pytest.mark.parametrize(
    ("current", "incoming", "expected"),
    [
        (ByteType(), IntegerType(), IntegerType()),
        (IntegerType(), LongType(), LongType()),
        (IntegerType(), DoubleType(), DoubleType()),
        (FloatType(), DoubleType(), DoubleType()),
        (IntegerType(), DecimalType(5, 2), DecimalType(12, 2)),
        (LongType(), DecimalType(5, 2), DecimalType(22, 2)),
        (DecimalType(5, 2), DecimalType(9, 1), DecimalType(10, 2)),
        (DateType(), TimestampNTZType(), TimestampNTZType()),
        (DecimalType(38, 0), DecimalType(5, 2), DecimalType(38, 0)),
        (LongType(), IntegerType(), LongType()),
        (LongType(), DoubleType(), LongType()),
        (IntegerType(), StringType(), IntegerType()),
        (StringType(), DecimalType(5, 2), StringType()),
    ],
)
def test_a_type_grows_as_databricks_widens_it(
    current: DataType, incoming: DataType, expected: DataType
) -> None:
    assert wider(current, incoming) == expected


@pytest.mark.dlt(179)
def test_columns_grow_within_an_update_and_text_is_rescued(
    spark: SparkSession, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    pipeline = Pipeline(tmp_path, spark)
    pipeline.write(
        f"""
        import dlt

        @dlt.table(table_properties={{"delta.enableTypeWidening": "true"}})
        def events():
            files = spark.readStream.format("cloudFiles").option("cloudFiles.format", "parquet")
            mode = "addNewColumnsWithTypeWidening"
            return files.option("cloudFiles.schemaEvolutionMode", mode).load("{landing}")
        """
    )
    queries = (
        "SELECT 1 AS n, 1 AS amount",
        "SELECT 9999999999 AS n, 2.25 AS amount",
        "SELECT 'x' AS n, 3 AS amount",
    )
    for query in queries:
        spark.sql(query).coalesce(1).write.mode("append").parquet(str(landing))
        assert pipeline.update() == 0
    assert dict(pipeline.table("events").dtypes) == {
        "n": "bigint",
        "amount": "decimal(12,2)",
        "_rescued_data": "string",
    }
    assert pipeline.rows("events", "amount", "n") == [
        (Decimal("1.00"), 1),
        (Decimal("2.25"), 9999999999),
        (Decimal("3.00"), None),
    ]
    (rescued,) = (row[0] for row in pipeline.rows("events", "_rescued_data") if row[0])
    assert '"n":"x"' in rescued
