"""Files that a storage relies on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_shim import durable_files

HERE = Path(__file__).parents[2]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "below" / "file.json"
    durable_files.write_atomically(path, "old")
    with path.open() as reader:
        durable_files.write_atomically(path, "größer")
        assert reader.read() == "old"
    assert durable_files.read_text(path) == "größer"
    assert os.listdir(path.parent) == ["file.json"]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file" / "child").mkdir(parents=True)
    with pytest.raises(OSError):
        durable_files.write_atomically(tmp_path / "file", "text")
    assert os.listdir(tmp_path) == ["file"]


def test_a_missing_file_has_no_text_and_a_missing_folder_no_entries(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert durable_files.read_text(missing) is None
    assert durable_files.names(missing) == []
    assert list(durable_files.entries(missing)) == []
    durable_files.delete(missing)


def test_entries_tell_files_from_folders_and_leave_out_broken_links(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("four")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    entries = {entry.name: entry for entry in durable_files.entries(tmp_path)}
    assert {name: entry.is_folder for name, entry in entries.items()} == {
        "folder": True,
        "file": False,
    }
    assert entries["file"].size == 4
    assert entries["file"].modified_ns == (tmp_path / "file").stat().st_mtime_ns


def test_a_folder_is_deleted_and_what_a_link_leads_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "kept" / "file").mkdir(parents=True)
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    durable_files.delete(tmp_path / "folder")
    durable_files.delete(tmp_path / "link")
    assert [path.name for path in tmp_path.rglob("*")] == ["kept", "file"]


def test_a_moved_file_replaces_the_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("new")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "target").write_text("old")
    durable_files.move(tmp_path / "source", tmp_path / "below" / "target")
    assert (tmp_path / "below" / "target").read_text() == "new"
    assert not (tmp_path / "source").exists()


def test_a_lock_keeps_another_process_away_until_it_is_freed(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "one"
    with durable_files.lock(path):
        assert takes_lock(path) == "BlockingIOError"
    assert takes_lock(path) == "locked"


def takes_lock(path: Path) -> str:
    program = (
        "import sys\nfrom pathlib import Path\nfrom local_shim.durable_files import lock\n"
        "try:\n    with lock(Path(sys.argv[1])): print('locked')\n"
        "except OSError as error: print(type(error).__name__)\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    process = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE)
    return process.stdout.strip()
