"""What a stream has still to read, counted from listings and logs alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_shim.autoloader.options.parse import parse_options
from local_shim.engine.reads.sources import StreamSource
from local_shim.engine.streaming.backlog import (
    Backlog,
    delta_backlog,
    file_backlog,
    list_files,
    next_version,
)


def commit(table: Path, version: int, *actions: dict[str, dict[str, object]]) -> None:
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(action) for action in ({"commitInfo": {}}, *actions)]
    (log / f"{version:020}.json").write_text("\n".join(lines))


def add(path: str, size: int) -> dict[str, dict[str, object]]:
    return {"add": {"path": path, "size": size}}


def end_batch(checkpoint: Path, source: str) -> None:
    (checkpoint / "offsets").mkdir(parents=True, exist_ok=True)
    (checkpoint / "offsets" / "0").write_text(f"v1\n{{}}\n{source}")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two versions with three files, of which the second replaced one."""
    commit(tmp_path / "t", 0, add("a", 10), add("b", 20))
    commit(tmp_path / "t", 1, add("c", 5), {"remove": {"path": "a"}})
    return tmp_path / "t"


def test_a_new_stream_reads_all_files_of_a_table(table: Path, tmp_path: Path) -> None:
    assert delta_backlog(tmp_path / "checkpoint", "t", table) == Backlog("t", 2, 25)


def test_a_stream_reads_what_came_after_its_offset(table: Path, tmp_path: Path) -> None:
    end_batch(tmp_path / "checkpoint", json.dumps({"reservoirVersion": 1, "index": -1}))
    assert delta_backlog(tmp_path / "checkpoint", "t", table) == Backlog("t", 1, 5)


def test_many_versions_are_not_opened(table: Path, tmp_path: Path) -> None:
    commit(table, 60)
    assert delta_backlog(tmp_path / "checkpoint", "t", table) is None


@pytest.mark.parametrize("source", ["", "{}", "no JSON"])
def test_an_unknown_offset_has_no_backlog(table: Path, tmp_path: Path, source: str) -> None:
    end_batch(tmp_path / "checkpoint", source)
    assert next_version(tmp_path / "checkpoint") is None
    assert delta_backlog(tmp_path / "checkpoint", "t", table) is None


def test_files_that_no_batch_has_read_are_the_backlog_of_auto_loader(tmp_path: Path) -> None:
    folder = tmp_path / "landing"
    folder.mkdir()
    for name, text in (("a.csv", "1\n"), ("b.csv", "22\n")):
        (folder / name).write_text(text)
    options = parse_options({"cloudFiles.format": "csv"})
    listing = list_files(tmp_path / "checkpoint", StreamSource(str(folder), options), options)
    assert (listing.files, file_backlog(listing)) == (2, Backlog(str(folder), 2, 5))
