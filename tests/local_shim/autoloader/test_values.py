"""A text of a CSV file is a value of its column's type as Spark's CSV parser reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyspark.sql import SparkSession

from local_shim.autoloader import rescue
from local_shim.autoloader.options.parse import parse_options
from local_shim.sql_text import literal
from tests.local_shim.autoloader.landing_flow import Flow

WORDS = (
    "1 +1 -7 007 1.0 1e3 2147483648 9223372036854775808 1_0 true TRUE yes t 1,234.50 12.345 NaN "
    "Inf -Inf 1d 0x1 abc 2026-01-31 2026-1-5 2026-02-30 2026-01-31T10:20Z"
)
TEXTS = [*WORDS.split(), " 1", "1 ", "2026-01-31 10:20:30"]
TYPES = ("INT", "BIGINT", "BOOLEAN", "DECIMAL(10,2)", "DATE", "TIMESTAMP")


@pytest.mark.parametrize("kind", TYPES)
def test_a_text_is_a_value_exactly_if_it_is_one_for_sparks_parser(
    spark: SparkSession, kind: str
) -> None:
    target = spark.sql(f"SELECT cast(NULL AS {kind}) AS v").schema["v"].dataType
    value = rescue.typed("text", target, parse_options({"cloudFiles.format": "csv"}))
    by_spark = f"from_csv(text, 'v {kind}', map('sep', '\x1f')).v"
    rows = spark.createDataFrame([(text,) for text in TEXTS], "text STRING")
    wrong = rows.selectExpr("text", f"{value} AS ours", f"{by_spark} AS theirs")
    assert wrong.where("NOT (ours <=> theirs)").collect() == []


def test_words_for_numbers_that_are_none(spark: SparkSession) -> None:
    words = {"nanValue": "n/a", "positiveInf": "endless", "negativeInf": "-endless"}
    options = parse_options({"cloudFiles.format": "csv", **words})
    target = spark.sql("SELECT cast(NULL AS DOUBLE) AS v").schema["v"].dataType
    values = [rescue.typed(literal(text), target, options) for text in (*words.values(), "1.5")]
    row = spark.sql(f"SELECT {', '.join(values)}").head()
    assert row is not None
    assert [str(value) for value in row] == ["nan", "inf", "-inf", "1.5"]


@pytest.mark.parametrize(
    ("options", "text", "value"),
    [
        ({"locale": "fr-FR", "dateFormat": "dd MMMM yyyy"}, "01 janvier 2026,", "2026-01-01"),
        ({"timeZone": "America/New_York"}, ",2026-01-01 12:00:00", "2026-01-01 17:00:00"),
    ],
)
def test_dates_of_a_locale_and_a_time_zone(
    flow: Flow, options: dict[str, str], text: str, value: str
) -> None:
    flow.options |= {"cloudFiles.schemaHints": "day DATE, at TIMESTAMP", **options}
    flow.land("a.csv", f"day,at\n{text}\nx,y\n")
    flow.run()
    good, bad = sorted(flow.rows(), key=lambda row: "_rescued_data" in row)
    assert [str(each) for each in good.values()] == [value]
    assert json.loads(bad["_rescued_data"]).items() >= {"day": "x", "at": "y"}.items()


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ({"lineSep": "~"}, b"id,n~1,x~2,y~"),
        ({"sep": "\\t"}, b"id\tn\n1\tx\n2\ty\n"),
        ({"sep": "||"}, b'id||n\n1||"x"\n2||y\n'),
        ({"ignoreTrailingWhiteSpace": "true"}, b"id ,n\n1 ,x\n2,y \n"),
        ({"encoding": "UTF-16"}, "id,n\n1,x\n2,y\n".encode("utf-16")),
        ({"encoding": "windows-1252"}, b"id,n\n1,x\n2,y\n"),
        (
            {"encoding": "UTF-16LE", "skipRows": "1", "lineSep": "|"},
            "t|id,n|1,x|2,y".encode("utf-16le"),
        ),
    ],
)
def test_headers_and_types_are_found_in_files_of_any_dialect(
    flow: Flow, options: dict[str, str], content: bytes
) -> None:
    flow.options |= {"cloudFiles.inferColumnTypes": "true", **options}
    flow.land("a.csv", content)
    flow.run()
    rows: list[dict[str, Any]] = sorted(flow.rows(), key=lambda row: row["id"])
    assert rows == [{"id": 1, "n": "x"}, {"id": 2, "n": "y"}]
