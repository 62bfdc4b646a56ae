"""The calls of `read_files`, and the format that they take from the names of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_shim.sql_sources.file_format import format_of_files
from local_shim.sql_sources.file_functions import files_calls
from local_shim.sql_sources.grammar.source_text import SourceText


@pytest.mark.parametrize(
    ("names", "format"),
    [
        (["_SUCCESS", "day=1/part.snappy.parquet"], "parquet"),
        (["a.ndjson.gz", "b.csv"], "json"),
        (["a.b.CSV"], "csv"),
        (["README"], None),
        ([], None),
    ],
)
def test_the_first_file_with_the_ending_of_a_format_decides(
    names: list[str], format: str | None, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert format_of_files(str(tmp_path)) == format
    assert format_of_files(f"file:{tmp_path}/*") == format


def test_a_schema_may_stand_between_three_quotes() -> None:
    query = (
        'SELECT * FROM STREAM read_files("/a", format => "csv", schema => """\nid INT, b INT""")'
    )
    (call,) = files_calls(SourceText(query, "pipeline.sql"), lambda text: text.strip('"'))
    assert (call.path, call.options) == ("/a", {"format": "csv", "schema": "\nid INT, b INT"})


def test_the_name_of_an_option_may_be_quoted() -> None:
    query = SourceText("SELECT * FROM read_files('/a', `format` => 'csv')", "pipeline.sql")
    (call,) = files_calls(query, lambda text: text.strip("'"))
    assert call.options == {"format": "csv"}
