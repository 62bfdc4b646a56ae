"""`dlt-local report --rows`: what is read, and that it is read without Spark where it can be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest
from pyspark.sql import SparkSession

from local_shim.delta.live_files import live_files
from local_shim.query.first_rows import first_rows
from local_shim.storage import Storage
from tests.local_shim.cli.command import Result, dlt_local
from tests.local_shim.report.shop_update import SCRIPT, add, commit, write_table, write_update


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    write_update(tmp_path, "a1", 5)
    return tmp_path


def report(storage: Path, *arguments: str) -> Result:
    return dlt_local("report", "--storage", storage, "--format", "json", *arguments)


def rows(storage: Path, most: int = 10) -> dict[str, Any]:
    """The rows of each dataset that has any."""
    datasets = json.loads(report(storage, "--rows", str(most)).out)["datasets"]
    return {each["name"]: each["rows"] for each in datasets if each["rows"]}


def texts(storage: Path, most: int = 10) -> list[str]:
    """The texts of `gold_day`."""
    return [cell for row in rows(storage, most)["gold_day"]["cells"] for cell in row]


def test_a_report_holds_no_rows_unless_asked(storage: Path) -> None:
    write_table(storage, "gold_day", ["secret"])
    assert "secret" not in report(storage).out
    assert "secret" in report(storage, "--rows", "1").out


def test_rows_are_those_of_the_newest_version(storage: Path) -> None:
    folder = write_table(storage, "gold_day", ["old"])
    commit(folder, add(folder, "new", ["c", "d", "e"]), {"remove": {"path": "a%20b"}})
    commit(folder, add(folder, "newer", ["f"]))
    assert texts(storage) == ["c", "d", "e", "f"]
    assert texts(storage, 2) == ["c", "d"]


def test_a_checkpoint_stands_for_the_commits_before_it(storage: Path) -> None:
    folder = write_table(storage, "gold_day", ["a"])
    log = folder / "_delta_log"
    actions = [json.loads(line) for line in (log / f"{0:020}.json").read_text().splitlines()]
    parquet.write_table(
        pyarrow.Table.from_pylist(actions, schema=_schema(actions)),
        log / f"{0:020}.checkpoint.parquet",
    )
    commit(folder, add(folder, "later", ["b"]))
    (log / f"{0:020}.json").write_text("")
    assert texts(storage) == ["a", "b"]


def _schema(actions: list[dict[str, Any]]) -> pyarrow.Schema:
    tables = [pyarrow.Table.from_pylist([action]) for action in actions]
    return pyarrow.unify_schemas([table.schema for table in tables])


def test_a_table_without_files_has_no_rows(storage: Path) -> None:
    folder = write_table(storage, "gold_day", [])
    assert rows(storage)["gold_day"] == {"columns": ["text"], "cells": []}
    commit(folder, {"remove": {"path": "a%20b"}})
    assert rows(storage)["gold_day"] == {"columns": ["text"], "cells": []}


def test_markup_and_long_cells(storage: Path) -> None:
    write_table(storage, "gold_day", [SCRIPT, "x" * 3000])
    assert texts(storage) == [SCRIPT, "x" * 2000 + "…"]


def test_too_many_rows_are_refused(storage: Path) -> None:
    result = report(storage, "--rows", "1001")
    assert (result.code, "ROWS_OUT_OF_RANGE" in result.err) == (2, True)


@pytest.mark.parametrize(
    "action",
    [
        {"add": {"path": "b", "deletionVector": {"storageType": "u"}}},
        {"add": {"path": "s3://elsewhere/b"}},
        {"metaData": {"schemaString": '{"fields": []}', "partitionColumns": ["day"]}},
        {"metaData": {"schemaString": '{"type": "variant"}', "partitionColumns": []}},
        {"protocol": {"minReaderVersion": 2}},
        {"protocol": {"minReaderVersion": 3, "readerFeatures": ["columnMapping"]}},
    ],
)
def test_a_table_that_is_more_than_its_files_is_left_to_spark(
    tmp_path: Path, action: dict[str, object]
) -> None:
    folder = write_table(tmp_path, "orders", ["a"])
    assert live_files(folder) is not None
    commit(folder, action)
    assert live_files(folder) is None


def test_a_log_without_metadata_is_left_to_spark(tmp_path: Path) -> None:
    folder = write_table(tmp_path, "orders", ["a"])
    (folder / "_delta_log" / f"{0:020}.json").write_text("")
    assert live_files(folder) is None


INSTANT = datetime(2026, 1, 1, 8, 0, 0, 1, tzinfo=UTC)
VALUES = [
    (1, 1.5, Decimal("2.50"), True, b"\x0f", INSTANT, ["a"], {"k": 1}),
    (None,) * 8,
]
TYPES = """
    i INT, d DOUBLE, m DECIMAL(10, 2), b BOOLEAN, x BINARY, t TIMESTAMP, l ARRAY<STRING>,
    s STRUCT<k: INT>
"""


def test_values_are_as_spark_gives_them(tmp_path: Path, spark: SparkSession) -> None:
    storage = Storage(tmp_path, "shop")
    for name, properties in (("plain", ""), ("renamed", "name")):
        target = tmp_path / "tables/main/default" / name
        writer = spark.createDataFrame(VALUES, TYPES).coalesce(1).write.format("delta")
        if properties:
            writer = writer.option("delta.columnMapping.mode", properties)
        writer.save(str(target))
    spark.sql(f"ALTER TABLE delta.`{tmp_path}/tables/main/default/plain` ADD COLUMN z INT")
    result = first_rows(storage, ["plain", "renamed", "absent"], 5)
    assert set(result) == {"plain", "renamed"}
    assert [row[:-1] for row in result["plain"]["cells"]] == result["renamed"]["cells"]
    assert result["plain"]["columns"][-1] == "z"
    assert result["plain"]["cells"] == [
        ["1", "1.5", "2.50", "true", "X'0F'", f"{INSTANT:%F %T.%f}Z", '["a"]', '{"k": 1}', None],
        [None] * 9,
    ]
