"""Every type that Delta takes goes through every fast path; what the kernel lacks goes past it."""

from __future__ import annotations

import pytest

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

SOURCE = f"""
    import dlt

    TYPES = {TYPES!r}
    REFUSED_BY_STREAMS = {REFUSED_BY_STREAMS!r}

    def define(name, expression):
        @dlt.table(name=f"view_{{name}}")
        def view():
            return spark.sql(f"SELECT id, {{expression}} AS value FROM range(3)")

        @dlt.table(name=f"view_reader_{{name}}")
        def view_reader():
            return spark.read.table(f"view_{{name}}").selectExpr("*", "value IS NULL AS is_null")

        if name in REFUSED_BY_STREAMS:
            return

        @dlt.table(name=f"stream_{{name}}")
        def stream():
            lines = spark.readStream.text(spark.conf.get("files"))
            return lines.selectExpr("value AS line", f"{{expression}} AS value")

        @dlt.table(name=f"stream_reader_{{name}}")
        def stream_reader():
            return spark.read.table(f"stream_{{name}}")

    for name, expression in TYPES.items():
        define(name, expression)
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
    for name in TYPES:
        assert pipeline.table(f"view_reader_{name}").count() == 3
        if name not in REFUSED_BY_STREAMS:
            values = pipeline.table(f"stream_reader_{name}")
            assert values.schema["value"] == pipeline.table(f"view_{name}").schema["value"]
            assert values.where("value IS NOT NULL").count() == 2


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
