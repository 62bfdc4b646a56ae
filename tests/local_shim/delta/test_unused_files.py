"""Which files of a Delta table count as unused, by logs written here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_shim.delta.unused_files import delete_unused_files, retention

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def add(path: str) -> dict[str, Any]:
    return {"add": {"path": path}}


def remove(path: str, days: float) -> dict[str, Any]:
    """A removal some days ago."""
    at = NOW - timedelta(days=days)
    return {"remove": {"path": path, "deletionTimestamp": int(at.timestamp() * 1000)}}


def table(folder: Path, *commits: list[dict[str, Any]]) -> Path:
    """A table with these commits; their files exist."""
    (folder / "_delta_log").mkdir(parents=True)
    for version, actions in enumerate(commits):
        log = folder / "_delta_log" / f"{version:020}.json"
        log.write_text("".join(json.dumps(action) + "\n" for action in actions))
    return folder


def remaining_files(folder: Path, *names: str) -> list[str]:
    """What a deletion of files that were removed a week ago leaves of these."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    delete_unused_files(folder, NOW - timedelta(days=7))
    return [name for name in names if (folder / name).exists()]


def test_files_go_when_their_removal_is_old_enough(tmp_path: Path) -> None:
    folder = table(
        tmp_path / "table",
        [add("old"), add("young"), add("day=a b/part"), add("live")],
        [remove("old", 8), remove("young", 6), remove("day=a%20b/part", 9)],
    )
    names = ("old", "young", "day=a b/part", "live", "never_committed")
    assert remaining_files(folder, *names) == ["young", "live", "never_committed"]
    assert delete_unused_files(folder, NOW - timedelta(days=7)) == 0


def test_files_that_were_added_again_stay(tmp_path: Path) -> None:
    """A new deletion vector removes and adds the file in one commit; a restore adds it later."""
    folder = table(
        tmp_path / "table",
        [add("vector"), add("restored")],
        [add("vector"), remove("vector", 9), remove("restored", 9)],
        [add("restored")],
    )
    assert remaining_files(folder, "vector", "restored") == ["vector", "restored"]


def test_files_of_other_tables_stay(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    paths = [f"{tmp_path}/other/file", "../other/file"]
    folder = table(tmp_path / "table", [remove(path, 9) for path in paths])
    assert delete_unused_files(folder, NOW) == 0


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (None, timedelta(days=7)),
        ("interval 30 days", timedelta(days=30)),
        ("INTERVAL 1 week 12 hours", timedelta(days=7.5)),
        ("0 seconds", timedelta()),
        ("interval 3 months", None),
        ("7", None),
        ("interval", None),
    ],
)
def test_retentions(text: str | None, time: timedelta | None) -> None:
    assert retention(text) == time
