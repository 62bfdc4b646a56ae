"""Every internal of Spark, Delta, PySpark and Py4J that the product touches, one test each.

Run this file first after an upgrade: what moved fails here, by name, within seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.errors import ParseException
from pyspark.sql import Column, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.classic.dataframe import DataFrame
from pyspark.sql.streaming.readwriter import DataStreamReader
from pyspark.sql.types import StructField, StructType

from local_shim.autoloader.files import read_log
from local_shim.autoloader.files.listing import source_files
from local_shim.autoloader.options.parse import parse_options
from local_shim.delta import kernel
from local_shim.delta.snapshot import newest_rows, newest_snapshot, transactions
from local_shim.delta.transaction import Transaction, with_positions
from local_shim.graph.elements import Dataset, DatasetKind, SourceLocation
from local_shim.graph.names import TableName
from local_shim.jvm import spark_parser, spark_plan
from local_shim.jvm.flow_session import own_session, pipeline_session
from local_shim.jvm.java_errors import is_java_error
from local_shim.jvm.parquet import footer_schema
from local_shim.jvm.scala import listed, mapping, optional, scala_object
from local_shim.jvm.session import empty_frame, for_small_data, nullable, running_session
from local_shim.reading.interception import spark_reads_intercepted


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> Path:
    """A Delta table of three rows in one file."""
    folder = tmp_path / "table"
    rows = spark.range(3).selectExpr("id", "CAST(id AS STRING) AS name").coalesce(1)
    rows.write.format("delta").save(str(folder))
    return folder


def ids(spark: SparkSession, folder: Path) -> list[int]:
    return sorted(row.id for row in spark.read.format("delta").load(str(folder)).collect())


# --- Scala


def test_scala_sequences_maps_options_and_objects(spark: SparkSession) -> None:
    jvm: Any = spark._jvm
    parts = spark._jsparkSession.sessionState().sqlParser().parseMultipartIdentifier("a.b")
    assert listed(parts) == ["a", "b"]
    assert mapping(spark._jsparkSession.conf().getAll())["spark.sql.ansi.enabled"] == "true"
    assert optional(jvm.scala.Option.apply("value")) == "value"
    assert optional(jvm.scala.Option.empty()) is None
    assert scala_object(jvm, "scala.collection.immutable.Nil").isEmpty()


# --- Spark's parser


def test_parser_expression(spark: SparkSession) -> None:
    spark_parser.check_expression(spark, "op = 'D'")
    with pytest.raises(ParseException):
        spark_parser.check_expression(spark, "op = = 'D'")


def test_parser_table_definition(spark: SparkSession) -> None:
    text = (
        "id INT NOT NULL COMMENT 'key', day DATE GENERATED ALWAYS AS (CAST(at AS DATE)), "
        "at TIMESTAMP DEFAULT now(), n BIGINT GENERATED ALWAYS AS IDENTITY, CHECK (id > 0)"
    )
    table = spark_parser.table_definition(spark, text)
    key, day, at, number = table.columns
    assert (key.name, key.type, key.nullable, key.comment) == ("id", "integer", False, "key")
    assert day.generated_as == "CAST(at AS DATE)"
    assert (key.has_default, at.has_default, number.has_default) == (False, True, False)
    assert (key.identity, number.identity) == (None, (1, 1, False))
    assert [kind for kind in table.constraints if "Check" in kind]


def test_parser_relations(spark: SparkSession) -> None:
    text = "WITH c AS (SELECT * FROM a.b) SELECT * FROM c, STREAM(d) AS x WHERE id IN (TABLE e)"
    mentions = {
        (each.parts, each.streaming, each.aliased)
        for each in spark_parser.table_mentions(spark, text, str)
    }
    assert mentions == {(("a", "b"), False, False), (("d",), True, True), (("e",), False, False)}


def test_parser_recursive_names(spark: SparkSession) -> None:
    text = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n, m"
    (mention,) = spark_parser.table_mentions(spark, text, str)
    assert mention.parts == ("m",)


def test_parser_watermarks(spark: SparkSession) -> None:
    text = (
        "SELECT * FROM STREAM(a) WATERMARK t DELAY OF INTERVAL 1 DAY 2 HOURS "
        "JOIN b WATERMARK u DELAY OF INTERVAL '1' HOUR AS x"
    )
    a, b = spark_parser.table_mentions(spark, text, str)
    assert (a.aliased, b.aliased, b.clauses) == (False, True, "")
    assert a.replaced_by("v") == "v WATERMARK t DELAY OF INTERVAL 1 DAY 2 HOURS AS `a`"
    assert text[: a.start] + text[a.stop : b.start] + text[b.stop :] == (
        "SELECT * FROM  JOIN  WATERMARK u DELAY OF INTERVAL '1' HOUR AS x"
    )


def test_parser_samples(spark: SparkSession) -> None:
    text = (
        "SELECT * FROM a TABLESAMPLE (10 PERCENT) WATERMARK t DELAY OF INTERVAL 1 DAY "
        "JOIN b TABLESAMPLE BERNOULLI (1 PERCENT) REPEATABLE (3) AS x "
        "JOIN c TABLESAMPLE (2 ROWS) REPEATABLE (5)"
    )
    a, b, c = spark_parser.table_mentions(spark, text, str)
    assert (a.aliased, b.aliased, c.aliased) == (False, True, False)
    watermark = "WATERMARK t DELAY OF INTERVAL 1 DAY"
    assert a.replaced_by("v") == f"v TABLESAMPLE (10 PERCENT) {watermark} AS `a`"
    assert c.replaced_by("v") == "v TABLESAMPLE (2 ROWS) REPEATABLE (5) AS `c`"
    assert text[b.start : b.stop] == "b"


def test_parser_identifiers_versions_and_options(spark: SparkSession) -> None:
    text = (
        "SELECT * FROM IDENTIFIER('a') VERSION AS OF 3 "
        "JOIN IDENTIFIER('b' || '.c') TIMESTAMP AS OF current_date() - 1 AS t "
        "JOIN STREAM IDENTIFIER('d') WITH (k = ')') "
    )
    constants = {"'b' || '.c'": "b.c", "current_date() - 1": "yesterday"}
    a, b, d = spark_parser.table_mentions(spark, text, constants.__getitem__)
    assert (a.parts, a.options, a.aliased) == (("a",), {"versionAsOf": "3"}, False)
    assert (b.parts, b.options, b.aliased) == (("b", "c"), {"timestampAsOf": "yesterday"}, True)
    assert (d.parts, d.options, d.streaming) == (("d",), {"k": ")"}, True)
    rest = text[: a.start] + "A" + text[a.stop : b.start] + "B" + text[b.stop : d.start] + "D"
    assert rest + text[d.stop :] == "SELECT * FROM A JOIN B AS t JOIN D "


def test_parser_parameters(spark: SparkSession) -> None:
    named = {"t": F.lit("x"), "n": F.lit(1)}
    text = "SELECT * FROM IDENTIFIER(:t) WHERE a = :n AND b = ':n'"
    assert spark_parser.with_parameters(spark, text, named) == (
        "SELECT * FROM IDENTIFIER('x') WHERE a = 1 AND b = ':n'"
    )
    assert spark_parser.with_parameters(spark, "SELECT ?, ?", [F.lit(None), F.lit("it's")])


# --- Spark's plans


def test_plan_streaming_sources(spark: SparkSession) -> None:
    stream = spark.readStream.format("rate").load()
    assert spark_plan.streaming_sources(stream.unionAll(stream)) == 2
    assert spark_plan.streaming_sources(spark.range(1)) == 0


def test_plan_estimated_bytes(spark: SparkSession, table: Path) -> None:
    assert 0 < spark_plan.estimated_bytes(spark.read.format("delta").load(str(table))) < 10_000


@pytest.mark.parametrize(
    "expression",
    ["rand()", "uuid()", "current_date()", "current_timestamp()", "now()", "localtimestamp()"],
)
def test_plan_is_not_deterministic(spark: SparkSession, expression: str) -> None:
    assert not spark_plan.is_deterministic(spark.range(1).selectExpr(expression))


def test_plan_is_deterministic(spark: SparkSession) -> None:
    assert spark_plan.is_deterministic(spark.range(1).selectExpr("id + 1", "DATE'2026-01-01'"))


@pytest.mark.parametrize("connector", ["delta", "kernel", "files"])
def test_plan_delta_folders(spark: SparkSession, table: Path, connector: str) -> None:
    reads: dict[str, Callable[[], Any]] = {
        "delta": lambda: spark.read.format("delta").load(str(table)),
        "kernel": lambda: kernel.try_read(spark, table),
        "files": lambda: newest_rows(spark, str(table)),
    }
    rows = reads[connector]()
    assert rows is not None
    assert spark_plan.delta_folders(rows.join(spark.range(1), "id")) == {str(table)}


def test_plan_delta_folders_of_other_sources(spark: SparkSession, table: Path) -> None:
    assert spark_plan.delta_folders(spark.read.parquet(str(table))) is None


@pytest.mark.parametrize(
    ("column", "name"),
    [
        (lambda: F.col("a.b"), ("a", "b")),
        (lambda: F.col("`a.b`"), ("a.b",)),
        (lambda: F.expr("a.b"), "a.b"),
        (lambda: F.col("a") + 1, None),
    ],
)
def test_plan_column_name(spark: SparkSession, column: object, name: object) -> None:
    value = column()  # type: ignore[operator]
    assert isinstance(value, Column)
    assert spark_plan.column_name(value) == name


# --- sessions


def test_session_of_the_process(spark: SparkSession) -> None:
    assert running_session() is not None
    assert for_small_data(spark)


def test_session_of_a_flow(spark: SparkSession) -> None:
    key = "spark.sql.shuffle.partitions"
    before = spark.conf.get(key)
    with pipeline_session(spark) as session, own_session(session, {key: "7"}):
        assert SparkSession.builder.getOrCreate() is session
        assert session.conf.get(key) == "7"
        assert session.range(1).sparkSession is session
    assert spark.conf.get(key) == before
    assert not isinstance(running_session(), type(session))


def test_session_reads_are_intercepted_and_restored(spark: SparkSession) -> None:
    methods = [SparkSession.sql, DataFrameReader.load, DataStreamReader.table, DataFrame.collect]
    with spark_reads_intercepted():
        owners = [SparkSession.sql, DataFrameReader.load, DataStreamReader.table, DataFrame.collect]
        assert all(now is not before for now, before in zip(owners, methods, strict=True))
        assert spark.sql("SELECT 1").collect()[0][0] == 1
    assert SparkSession.sql is methods[0]
    assert DataFrame.collect is methods[3]


def test_session_empty_frame(spark: SparkSession) -> None:
    schema = StructType().add("id", "integer").add("name", "string")
    frame = empty_frame(spark, schema)
    assert (frame.schema, frame.count()) == (schema, 0)


def test_session_nullable(spark: SparkSession) -> None:
    schema = StructType([StructField("a", StructType.fromDDL("b INT NOT NULL"), nullable=False)])
    assert nullable(spark, schema) == StructType.fromDDL("a STRUCT<b: INT>")


def test_session_writes_no_crc_files(table: Path) -> None:
    assert [path.name for path in table.rglob("*.crc") if path.name.endswith(".parquet.crc")] == []


def test_session_sends_no_settings_of_yarn(spark: SparkSession) -> None:
    settings = spark._jsc.hadoopConfiguration()
    names = {entry.getKey() for entry in settings.iterator()}
    assert "io.file.buffer.size" in names
    assert [name for name in names if name.startswith("yarn.resourcemanager")] == []


def test_java_errors(spark: SparkSession) -> None:
    with pytest.raises(Exception) as raised:
        jvm: Any = spark._jvm
        jvm.java.lang.Class.forName("missing")
    assert is_java_error(raised.value)
    assert not is_java_error(ValueError())


# --- Parquet


def test_parquet_footer(spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    rows = spark.range(1).selectExpr("id", "DATE'2026-01-01' AS day").coalesce(1)
    rows.write.parquet(str(folder))
    (file,) = folder.glob("*.parquet")
    assert footer_schema(spark, str(file)).simpleString() == "struct<id:bigint,day:date>"


# --- Delta's log


def test_delta_snapshot(spark: SparkSession, table: Path) -> None:
    snapshot = newest_snapshot(spark, str(table))
    assert snapshot is not None
    assert snapshot.schema.simpleString() == "struct<id:bigint,name:string>"
    assert (snapshot.version, snapshot.properties) == (0, {})
    files = [path.name for path in table.glob("*.parquet")]
    assert list(snapshot.files or ()) == files  # listed in the checksum file
    assert snapshot.bytes == sum(path.stat().st_size for path in table.glob("*.parquet"))


def test_delta_snapshot_without_a_checksum_file(spark: SparkSession, table: Path) -> None:
    for file in (table / "_delta_log").glob("*.crc"):
        file.unlink()
    snapshot = newest_snapshot(spark, str(table))
    assert snapshot is not None
    assert (snapshot.schema.names, snapshot.version) == (["id", "name"], 0)
    assert snapshot.files is None
    assert newest_rows(spark, str(table)) is None


def test_delta_rows_of_a_folder_that_spark_takes_for_a_pattern(
    spark: SparkSession, tmp_path: Path
) -> None:
    folder = str(tmp_path / "a[b]")
    spark.range(3).write.format("delta").save(folder)
    assert newest_rows(spark, folder) is None


def test_delta_snapshot_of_no_table(spark: SparkSession, tmp_path: Path) -> None:
    assert newest_snapshot(spark, str(tmp_path / "none")) is None


def test_delta_snapshot_with_deletion_vectors(spark: SparkSession, table: Path) -> None:
    path = f"delta.`{table}`"
    spark.sql(f"ALTER TABLE {path} SET TBLPROPERTIES (delta.enableDeletionVectors = true)")
    spark.sql(f"DELETE FROM {path} WHERE id = 1")
    snapshot = newest_snapshot(spark, str(table))
    assert snapshot is not None
    assert snapshot.files is None
    assert snapshot.properties["delta.enableDeletionVectors"] == "true"


def test_delta_transactions(spark: SparkSession, table: Path) -> None:
    writer = spark.range(1).selectExpr("id").write.format("delta").mode("append")
    writer.option("txnAppId", "app").option("txnVersion", "7").save(str(table))
    newest_snapshot(spark, str(table))
    assert transactions(spark, str(table)) == {"app": 7}


# --- Delta's transaction


def test_delta_transaction_columns_and_layout(spark: SparkSession, table: Path) -> None:
    transaction = Transaction(spark, str(table))
    assert transaction.columns.names == ["id", "name"]
    assert transaction.layout == ([], [])


def test_delta_transaction_append(spark: SparkSession, table: Path) -> None:
    Transaction(spark, str(table)).append(spark.range(7, 8).selectExpr("id", "'x' AS name"))
    assert ids(spark, table) == [0, 1, 2, 7]


def test_delta_transaction_replace_rows(spark: SparkSession, table: Path) -> None:
    path = f"delta.`{table}`"
    spark.sql(f"ALTER TABLE {path} SET TBLPROPERTIES (delta.enableDeletionVectors = true)")
    rows = with_positions(spark.read.format("delta").load(str(table))).where("id = 1")
    new_rows = spark.range(7, 8).selectExpr("id", "'x' AS name")
    Transaction(spark, str(table)).replace_rows(rows, new_rows)
    assert ids(spark, table) == [0, 2, 7]


def test_delta_transaction_replace_all(spark: SparkSession, table: Path) -> None:
    new_rows = spark.range(7, 8).selectExpr("id", "'x' AS name")
    assert Transaction(spark, str(table)).replace_all(new_rows, version=0)
    assert ids(spark, table) == [7]
    # Version 0 is no longer the newest.
    assert not Transaction(spark, str(table)).replace_all(new_rows, version=0)


# --- The log of Spark's file source


def test_file_source_log(spark: SparkSession, tmp_path: Path) -> None:
    landing, checkpoint = tmp_path / "landing", tmp_path / "checkpoint"
    landing.mkdir()
    for batch in range(12):  # the tenth is a compaction
        (landing / f"{batch} ä.txt").write_text("x")
        writer = spark.readStream.text(str(landing)).writeStream.format("noop")
        writer = writer.option("checkpointLocation", str(checkpoint)).trigger(availableNow=True)
        writer.start().awaitTermination()
    log = checkpoint / "sources" / "0"
    assert (log / "9.compact").exists()
    assert {file.read_text().splitlines()[0] for file in log.glob("[0-9]*")} == {"v1"}
    files = source_files(str(landing), parse_options({"cloudFiles.format": "text"}))
    assert len(files) == 12
    assert read_log.unread(checkpoint, files) == []
    assert sorted(read_log.read_times(checkpoint)) == sorted(file.path for file in files)


def test_functions_of_databricks(spark: SparkSession) -> None:
    text = "SELECT iff(1 > 2, 'a', 'b'), charindex('b', 'abc'), getdate() = current_timestamp()"
    groups = "SELECT is_member('a'), is_account_group_member('b'), session_user() = current_user()"
    with own_session(spark, {}):
        assert tuple(spark.sql(text).collect()[0]) == ("b", 2, True)
        assert tuple(spark.sql(groups).collect()[0]) == (False, False, True)


# --- Delta's kernel


def test_kernel_creates_and_describes(spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "created"
    where = SourceLocation("pipeline.py", 1)
    kind = DatasetKind.STREAMING_TABLE
    dataset = Dataset(
        TableName("main", "default", "t"), kind, where, comment="said", cluster_by=("id",)
    )
    schema = StructType().add("id", "long").add("name", "string")
    assert kernel.try_create(spark, folder, schema, dataset)
    detail = spark.sql(f"DESCRIBE DETAIL delta.`{folder}`").first()
    assert detail is not None
    assert (detail.description, detail.clusteringColumns) == ("said", ["id"])


def test_kernel_reads(spark: SparkSession, table: Path) -> None:
    with kernel.enabled(spark):
        rows = kernel.try_read(spark, table)
        assert rows is not None
        assert sorted(row.id for row in rows.collect()) == [0, 1, 2]


def test_kernel_fits_columns_to_the_table(spark: SparkSession, table: Path) -> None:
    swapped = spark.range(1).selectExpr("'x' AS name", "id")
    fitting = kernel.as_appendable(swapped, table)
    assert fitting is not None
    assert fitting.columns == ["id", "name"]
    assert kernel.as_appendable(spark.range(1).toDF("other"), table) is None


def test_transaction_creates_and_fills_a_table_in_one_commit(
    spark: SparkSession, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    dataset = Dataset(
        TableName("c", "s", "new"),
        DatasetKind.MATERIALIZED_VIEW,
        SourceLocation("test", 1),
        comment="a comment",
        table_properties={"quality": "gold"},
        cluster_by=("ID",),
    )
    rows = spark.range(3).selectExpr("id", "'x' AS name")
    Transaction(spark, str(folder)).create(rows, nullable(spark, rows.schema), dataset)
    detail = spark.sql(f"DESCRIBE DETAIL delta.`{folder}`").collect()[0]
    assert (detail.description, detail.clusteringColumns) == ("a comment", ["id"])
    assert detail.properties == {"quality": "gold"}
    assert spark.read.format("delta").load(str(folder)).count() == 3
    assert DeltaTable.forPath(spark, str(folder)).history().count() == 1


def test_kernel_writes_checksum_and_checkpoint(spark: SparkSession, table: Path) -> None:
    log = table / "_delta_log"
    for _ in range(10):
        spark.range(1).selectExpr("id", "'x' AS name").write.format("delta").mode("append").save(
            str(table)
        )
    for file in (*log.glob("*.crc"), *log.glob("*.checkpoint.parquet"), log / "_last_checkpoint"):
        file.unlink(missing_ok=True)
    kernel.write_checksum_and_checkpoint(spark, table)
    assert (log / f"{10:020}.crc").exists()
    assert json.loads((log / "_last_checkpoint").read_text())["version"] == 10
