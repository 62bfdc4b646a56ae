"""Mistakes that people make in their first pipeline, and what the message teaches."""

from __future__ import annotations

import re

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

TABLE = "import dlt\n\n@dlt.table\ndef raw():\n    return spark.{}\n"
SQL = "CREATE OR REFRESH MATERIALIZED VIEW raw AS SELECT 1 AS id;\n"
# The source, its file, the line of the mistake, and words of the message.
MISTAKES = {
    "a decorator": (
        "import dlt\n\n@dlt.tabel\ndef t():\n    ...",
        "py",
        3,
        "did you mean 'table'?",
    ),
    "a setting": ("import dlt\nspark.conf.get('my.env')", "py", 2, "--conf KEY=VALUE"),
    "a command": ("import dlt\n%pip install x", "py", 2, "commands with % run in notebooks"),
    "a folder": (TABLE.format("read.csv('/Volumes/a/b')"), "py", 5, "--path FROM=TO"),
    "a volume": (
        TABLE.format(
            "readStream.format('cloudFiles').option('cloudFiles.format', 'csv')"
            ".load('/Volumes/a/b/c/d')"
        ),
        "py",
        5,
        "--path /Volumes/a/b/c/=DIR",
    ),
    "a file of DBFS": ("\nopen('/dbfs/a')", "py", 2, "--path /dbfs/=DIR"),
    "a folder read at once": ("\nspark.read.csv('/Volumes/a/b')", "py", 2, "--path FROM=TO"),
    "a package": ("\nimport no_such_package", "py", 2, "install it with pip"),
    "files of no format": (
        "CREATE TEMPORARY VIEW v AS SELECT * FROM read_files('/Volumes/a/b')",
        "sql",
        1,
        "add format => 'csv', or say where the files lie here",
    ),
    "a table of another catalog": (
        "\nspark.table('samples.nyctaxi.trips')",
        "py",
        2,
        "--path CATALOG.SCHEMA.TABLE=DIR",
    ),
    "another catalog": ("\nspark.sql('USE CATALOG dev')", "py", 2, "than the pipeline's, main."),
    "a source elsewhere": (
        TABLE.format("readStream.format('kafka').option('subscribe', 'x').load()"),
        "py",
        5,
        "--path CATALOG.SCHEMA.TABLE=DIR",
    ),
    "a bucket of another cloud": (
        TABLE.format("read.csv('gs://a/b')"),
        "py",
        5,
        "the bucket lies here",
    ),
    "a connector": (
        TABLE.format("read.format('snowflake').load()"),
        "py",
        5,
        "no connection to it",
    ),
    "a function of Databricks": (
        "CREATE TEMPORARY VIEW v AS SELECT ai_query('m', 'x') AS y",
        "sql",
        1,
        "spark.udf.register(NAME, FUNCTION)",
    ),
    "a table function of Databricks": (
        "CREATE TEMPORARY VIEW v AS SELECT * FROM read_kafka('x')",
        "sql",
        1,
        "a local run has no connection to it",
    ),
    "a bucket": (TABLE.format("read.csv('s3://a/b')"), "py", 5, "--path s3://BUCKET/=DIR"),
    "a rule": (
        "import dlt\n\n@dlt.table\n@dlt.expect('known', 'id >')\ndef t():\n    ...",
        "py",
        4,
        "expectation 'known': 'id >' is no SQL expression: Syntax error at or near end of input",
    ),
    "a name": (SQL + "CREATE TEMPORARY VIEW v AS SELECT * FROM LIVE.rwa", "sql", 2, "mean 'raw'?"),
    "a target": (
        SQL + "APPLY CHANGES INTO changes FROM STREAM(raw) KEYS (id) SEQUENCE BY id",
        "sql",
        2,
        "declare it: CREATE OR REFRESH STREAMING TABLE changes",
    ),
    "half a clause": (
        SQL + "APPLY CHANGES INTO changes FROM STREAM(raw) KEYS (id) SEQUENCE id",
        "sql",
        2,
        "the clause SEQUENCE … is incomplete",
    ),
    "a missing STREAM": (
        SQL + "CREATE OR REFRESH STREAMING TABLE t AS SELECT * FROM raw",
        "sql",
        2,
        "write FROM STREAM(t)",
    ),
    "an option": (
        "CREATE TEMPORARY VIEW v AS SELECT * FROM read_files('/a', format = 'csv')",
        "sql",
        1,
        "write format => 'csv'",
    ),
    "nothing": ("-- to do", "sql", 0, "CREATE OR REFRESH MATERIALIZED VIEW in SQL"),
}


@pytest.mark.dlt(149)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_explained_at_its_line(pipeline: Pipeline, mistake: str) -> None:
    source, kind, line, words = MISTAKES[mistake]
    pipeline.write(source, f"pipeline.{kind}")
    with pytest.raises(ShimError) as error:
        pipeline.plan()
    text = str(error.value)
    assert words in text and "local_shim" not in text
    assert [int(each) for each in re.findall(r"pipeline\.\w+:(\d+)", text)] == [line] * bool(line)


def test_the_mistakes_of_one_call_stand_one_below_the_other(pipeline: Pipeline) -> None:
    pipeline.write("import dlt\ndlt.create_streaming_table('t', commment='', propertis={})")
    with pytest.raises(ShimError) as error:
        pipeline.plan()
    lines = str(error.value).splitlines()
    assert [line[:18] for line in lines if line[0] == "["] == ["[UNKNOWN_ARGUMENT]"] * 2
    assert len(lines) == 6  # message, place and hint of each
