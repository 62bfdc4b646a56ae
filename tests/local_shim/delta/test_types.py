"""Every type that Delta takes goes through every fast path; what the kernel lacks goes past it."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from tests.pipeline_folder import Pipeline

# Types that Delta refuses are not here: intervals, TIME, geometry, collated strings by default.
TYPES = {
    "void": "NULL",
    "void_in_struct": "named_struct('a', 1, 'b', NULL)",
    "boolean": "true",
    "byte": "CAST(1 AS BYTE)",
    "short": "CAST(1 AS SHORT)",
    "int": "1",
    "long": "1L",
    "float": "CAST(1 AS FLOAT)",
    "double": "1e0",
    "decimal": "CAST(1.5 AS DECIMAL(38, 10))",
    "string": "'a'",
    "varchar": "CAST('a' AS VARCHAR(3))",
    "char": "CAST('a' AS CHAR(3))",
    "binary": "X'01'",
    "date": "DATE'2026-01-01'",
    "timestamp": "TIMESTAMP'2026-01-01 00:00:00'",
    "timestamp_ntz": "TIMESTAMP_NTZ'2026-01-01 00:00:00'",
    "variant": "parse_json('[1]')",
    "nested": "named_struct('a', array(map('k', named_struct('x', 1))))",
}
REFUSED_BY_STREAMS = {"void", "void_in_struct"}
# Each type that sends a table past the fast paths has a table of its own; the others share one.
ALONE = ("void", "void_in_struct", "variant")
TABLES = {"fast": [name for name in TYPES if name not in ALONE], **{name: [name] for name in ALONE}}

SOURCE = f"""
    import dlt

    TYPES = {TYPES!r}
    TABLES = {TABLES!r}
    REFUSED_BY_STREAMS = {REFUSED_BY_STREAMS!r}

    def define(table, columns):
        values = [f"{{TYPES[name]}} AS `{{name}}`" for name in columns]

        @dlt.table(name=f"view_{{table}}")
        def view():
            return spark.range(3).selectExpr("id", *values)

        @dlt.table(name=f"view_reader_{{table}}")
        def view_reader():
            are_null = [f"`{{name}}` IS NULL AS `{{name}}_is_null`" for name in columns]
            return spark.read.table(f"view_{{table}}").selectExpr("*", *are_null)

        if table in REFUSED_BY_STREAMS:
            return

        @dlt.table(name=f"stream_{{table}}")
        def stream():
            lines = spark.readStream.text(spark.conf.get("files"))
            return lines.selectExpr("value AS line", *values)

        @dlt.table(name=f"stream_reader_{{table}}")
        def stream_reader():
            return spark.read.table(f"stream_{{table}}")

    for table, columns in TABLES.items():
        define(table, columns)
"""


@pytest.mark.slow
def test_all_types_go_through_all_fast_paths(pipeline: Pipeline) -> None:
    """Created, replaced and read as a view; created, appended to twice and read as a stream."""
    files = pipeline.folder / "files"
    files.mkdir()
    pipeline.conf["files"] = str(files)
    pipeline.write(SOURCE)
    for number in range(2):
        (files / f"{number}.txt").write_text(f"line {number}")
        # The edit makes all views be computed again.
        pipeline.write(SOURCE + f"\n    EDIT = {number}\n")
        assert pipeline.update() == 0, pipeline.errors()
    for table, columns in TABLES.items():
        view, view_reader = pipeline.table(f"view_{table}"), pipeline.table(f"view_reader_{table}")
        assert view_reader.count() == 3
        assert view_reader.select(view.columns).schema == view.schema
        if table not in REFUSED_BY_STREAMS:
            values = pipeline.table(f"stream_reader_{table}")
            assert values.select(columns).schema == view.select(columns).schema
            counts = values.select([F.count(name) for name in columns]).first()
            assert set(counts or ()) == {2}
    assert by_kernel(pipeline, "stream_fast")


def by_kernel(pipeline: Pipeline, table: str) -> bool:
    """Whether Delta's kernel wrote all commits of a table."""
    log = pipeline.path(table) / "_delta_log"
    return all("Kernel" in commit.read_text() for commit in log.glob("*.json"))


VOID = """
    import dlt
    from pyspark.sql import functions as F

    @dlt.table
    def policies():
        return spark.range(2).select("id", F.lit({note}).alias("note"))

    @dlt.table
    def read_on():
        note = F.coalesce(F.col("note").cast("string"), F.lit("-"))
        return spark.read.table("policies").select("id", note.alias("note"))

    @dlt.table
    @dlt.expect("has a note", "note IS NOT NULL")
    def taken_over():
        return spark.read.table("policies")
"""


def test_a_column_of_type_void_gets_a_type_when_it_gets_values(pipeline: Pipeline) -> None:
    pipeline.write(VOID.format(note="None"))
    assert pipeline.update() == 0, pipeline.errors()
    assert pipeline.rows("read_on") == [(0, "-"), (1, "-")]
    pipeline.write(VOID.format(note="'x'"))
    assert pipeline.update() == 0, pipeline.errors()
    for name in ("policies", "read_on", "taken_over"):
        assert pipeline.rows(name) == [(0, "x"), (1, "x")]


@pytest.mark.parametrize("name", sorted(REFUSED_BY_STREAMS))
def test_a_stream_into_a_column_of_type_void_says_why_it_fails(
    pipeline: Pipeline, name: str
) -> None:
    files = pipeline.folder / "files"
    files.mkdir()
    (files / "0.txt").write_text("line")
    pipeline.conf["files"] = str(files)
    pipeline.write(f"""
        import dlt

        @dlt.table
        def stream():
            lines = spark.readStream.text(spark.conf.get("files"))
            return lines.selectExpr("value AS line", "{TYPES[name]} AS value")
    """)
    assert pipeline.update() == 1
    (error,) = pipeline.errors()[:1]
    assert "[DELTA_NULL_SCHEMA_IN_STREAMING_WRITE] Delta doesn't accept NullTypes" in error
