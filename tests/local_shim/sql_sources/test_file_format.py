"""The format that `read_files` takes from the names of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_shim.sql_sources.file_format import format_of_files


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
