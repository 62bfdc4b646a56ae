"""The types that planning infers are those that Spark infers from the same JSON files.

Differences that Auto Loader's rules demand have a test of their own below.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from local_shim.autoloader.files.listing import source_files
from local_shim.autoloader.json.inference import json_fields
from local_shim.autoloader.options.parse import parse_options

SCALARS: list[Any] = [None, True, 0, -7, 2**40, 2**63, 10**24, 10**40, 0.5, 1e300, "", "x", "12"]
NAMES = ["a", "b", "c"]


def some_value(choose: random.Random, depth: int) -> Any:
    form = choose.random()
    if depth == 0 or form < 0.5:
        return choose.choice(SCALARS)
    if form < 0.7:
        return [some_value(choose, depth - 1) for _ in range(choose.randint(0, 3))]
    names = choose.sample(NAMES, choose.randint(1, 3))
    return {name: some_value(choose, depth - 1) for name in names}


def inferred_json(folder: Path) -> StructType:
    files = source_files(str(folder), parse_options({"cloudFiles.format": "json"}))
    return json_fields(files, multi_line=False, typed=True)


def test_json_types_are_those_of_spark(spark: SparkSession, tmp_path: Path) -> None:
    differences = []
    choose = random.Random(0)
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        names = NAMES if number % 2 else ["a"]
        records = [
            {name: some_value(choose, 3) for name in names} for _ in range(choose.randint(1, 3))
        ]
        (folder / "a.json").write_text("".join(json.dumps(record) + "\n" for record in records))
        types = inferred_json(folder).simpleString()
        by_spark = spark.read.json(str(folder)).schema.simpleString()
        if types != by_spark:
            differences.append((records, types, by_spark))
    assert differences == []


@pytest.mark.parametrize("text", ['{"a": {}}', '{"a": [{}], "b": 1}'])
def test_a_json_object_without_fields_is_text(
    spark: SparkSession, tmp_path: Path, text: str
) -> None:
    """Spark leaves such a column out; Auto Loader loses no column."""
    (tmp_path / "a.json").write_text(text)
    assert "a" not in spark.read.json(str(tmp_path)).columns
    assert inferred_json(tmp_path)["a"].dataType.simpleString() in ("string", "array<string>")
