"""How much data an update reads, told before Spark starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local_shim.engine.reads.input_size import reads_much
from local_shim.graph.names import TableName
from local_shim.storage import Storage, TableRecord

MEGABYTE = 2**20


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(tmp_path / "storage", "p")
    storage.remember(TableRecord("main.default.t", "table", "p", private=False))
    return storage


def put(file: Path, megabytes: int) -> Path:
    """A file of this size without content."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    os.truncate(file, megabytes * MEGABYTE)
    return file.parent


def test_files_below_configured_folders_count_and_those_of_tables(
    storage: Storage, tmp_path: Path
) -> None:
    put(storage.table(TableName("main", "default", "t")) / "0.parquet", 100)
    landing = put(tmp_path / "landing" / "2026" / "file.csv", 100).parent
    configuration = {"landing": f"file:{landing}", "name": "no folder", "missing": "/no/folder"}
    assert not reads_much(storage, {}, configuration)
    put(landing / "other.csv", 57)
    assert reads_much(storage, {}, configuration)
    assert reads_much(storage, {"s3://bucket": str(landing)}, {})
    assert not reads_much(storage, {}, {"landing": "landing"})


def test_links_are_not_followed(storage: Storage, tmp_path: Path) -> None:
    large = put(tmp_path / "elsewhere" / "file.csv", 300)
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "link").symlink_to(large)
    assert not reads_much(storage, {}, {"landing": str(tmp_path / "landing")})
