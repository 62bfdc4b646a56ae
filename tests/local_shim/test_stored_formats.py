"""Documents of a storage: those of the previous version are read, those of a newer one refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from local_shim.cdc.state.store import CdcState, Manifest
from local_shim.errors import UsageError
from local_shim.graph.names import TableName
from local_shim.storage import Storage, TableRecord

NAME = TableName("main", "default", "t")
RECORD = TableRecord(str(NAME), "MATERIALIZED_VIEW", "p", False, "abc", {"/tables/u": 3})


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    opened = Storage(tmp_path, "p")
    opened.remember(RECORD)
    return opened


def edit(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def record_file(storage: Storage) -> Path:
    (path,) = (storage.root / "system" / "tables").iterdir()
    return path


def test_a_record_carries_its_version(storage: Storage) -> None:
    assert json.loads(record_file(storage).read_text())["version"] == 1
    assert (storage.record(NAME), storage.records()) == (RECORD, [RECORD])


def test_a_record_without_a_version_is_read(storage: Storage) -> None:
    """As the commit before versions wrote it."""
    edit(record_file(storage), lambda values: values.pop("version"))
    assert storage.record(NAME) == RECORD


def test_unknown_fields_of_a_record_are_ignored(storage: Storage) -> None:
    edit(record_file(storage), lambda values: values.update(colour="blue"))
    assert storage.record(NAME) == RECORD


def test_a_record_of_a_newer_version_is_refused(storage: Storage) -> None:
    edit(record_file(storage), lambda values: values.update(version=2, inputs=[]))
    for read in (lambda: storage.record(NAME), storage.records):
        with pytest.raises(UsageError, match="STORAGE_FORMAT_NEWER"):
            read()


def test_a_manifest_of_cdc_state_follows_the_same_rules(tmp_path: Path) -> None:
    state, path = CdcState(tmp_path), tmp_path / "manifest.json"
    state.replace_manifest(Manifest(next_part=7))
    edit(path, lambda values: values.update(colour="blue"))
    assert state.manifest().next_part == 7
    edit(path, lambda values: values.pop("version"))
    assert state.manifest().next_part == 7
    edit(path, lambda values: values.update(version=2))
    with pytest.raises(UsageError, match="STORAGE_FORMAT_NEWER"):
        state.manifest()
