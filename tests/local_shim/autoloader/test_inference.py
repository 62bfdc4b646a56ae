"""The types that planning infers are those that Spark infers from the same files.

Differences that Auto Loader's rules demand have a test of their own below.
"""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from local_shim.autoloader.files.listing import source_files
from local_shim.autoloader.json.inference import json_fields
from local_shim.autoloader.json.json_format import json_format
from local_shim.autoloader.options.parse import parse_options
from local_shim.autoloader.text_types import Patterns, type_of

SCALARS: list[Any] = [None, True, 0, -7, 2**40, 2**63, 10**24, 10**40, 0.5, 1e300, "", "x", "12"]
NAMES = ["a", "b", "c"]
WORDS = (
    "0 -7 +7 007 2147483648 9223372036854775808 12345678901234567890123 1e3 1.5 .5 5. -0.0 1d 1f "
    "NaN Inf -Inf Infinity true FALSE yes x 2026-01-31 2026-1-31 2026-02-30 2026-01 20260131 "
    "2026-01-31T10:20:30 2026-01-31T10:20:30.123Z 2026-01-31T10:20 2026-01-31T25:00:00 "
    "2026-01-31T10:20:30+01:00 2026-01-31T10 0x1F 1,5 1_000"
)
TEXTS = [*WORDS.split(), "2026-01-31 10:20:30", " 7", "7 ", "a b", " 2026-01-31", "2026-01-31 10"]


def some_value(choose: random.Random, depth: int) -> Any:
    form = choose.random()
    if depth == 0 or form < 0.5:
        return choose.choice(SCALARS)
    if form < 0.7:
        return [some_value(choose, depth - 1) for _ in range(choose.randint(0, 3))]
    names = choose.sample(NAMES, choose.randint(1, 3))
    return {name: some_value(choose, depth - 1) for name in names}


def inferred_json(folder: Path, **options: str) -> StructType:
    parsed = parse_options(
        {"cloudFiles.format": "json", "cloudFiles.inferColumnTypes": "true", **options}
    )
    return json_fields(source_files(str(folder), parsed), json_format(parsed))


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


MIXED = """
{"a": 1, "b": 1.25, "c": "1,250.5", "d": "2026-01-31T10:20:30Z", "e": [true], "n": null, "o": []}
{"a": 1000, "b": 12345678901234567890, "c": "0", "d": "x", "e": [], "m": {"n": null}}
{'a': 2, 'f': '2026-01-31 10:20:30'}
"""


@pytest.mark.parametrize(
    "option", ["primitivesAsString", "prefersDecimal", "dropFieldIfAllNull", "inferTimestamp"]
)
def test_json_types_under_an_option_are_those_of_spark(
    spark: SparkSession, tmp_path: Path, option: str
) -> None:
    (tmp_path / "a.json").write_text(MIXED.lstrip())
    by_spark = spark.read.option(option, True).json(str(tmp_path)).schema
    assert inferred_json(tmp_path, **{option: "true"}).simpleString() == by_spark.simpleString()


@pytest.mark.parametrize("text", ['{"a": {}}', '{"a": [{}], "b": 1}'])
def test_a_json_object_without_fields_is_text(
    spark: SparkSession, tmp_path: Path, text: str
) -> None:
    """Spark leaves such a column out; Auto Loader loses no column."""
    (tmp_path / "a.json").write_text(text)
    assert "a" not in spark.read.json(str(tmp_path)).columns
    assert inferred_json(tmp_path)["a"].dataType.simpleString() in ("string", "array<string>")


def test_csv_types_are_those_of_spark(spark: SparkSession, tmp_path: Path) -> None:
    choose = random.Random(0)
    columns = [[text] for text in TEXTS]
    columns += [choose.choices(TEXTS, k=choose.randint(2, 3)) for _ in range(250)]
    height = max(len(column) for column in columns)
    with (tmp_path / "a.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([f"c{i}" for i in range(len(columns))])
        for row in range(height):
            writer.writerow([column[row] if row < len(column) else "" for column in columns])
    frame = spark.read.csv(str(tmp_path), header=True, inferSchema=True)
    differences = [
        (column, by_planning, by_spark)
        for column, (_, by_spark) in zip(columns, frame.dtypes, strict=True)
        if (by_planning := type_of(column, Patterns()).simpleString()) != by_spark
    ]
    assert differences == []


def test_a_date_is_a_timestamp_if_dates_are_not_preferred() -> None:
    assert type_of(["2026-01-31"], Patterns(prefer_date=False)).simpleString() == "timestamp"


@pytest.mark.parametrize("text", ["10:20:30", "٣"])
def test_texts_whose_meaning_depends_on_the_reader_stay_text(text: str) -> None:
    assert type_of([text], Patterns()).simpleString() == "string"
