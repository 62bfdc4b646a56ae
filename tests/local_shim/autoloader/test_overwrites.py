"""Files that change after they were read, and files that are put away."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local_shim.autoloader.files.clean_source import clean_source
from local_shim.autoloader.options.parse import parse_options
from local_shim.errors import UsageError
from tests.local_shim.autoloader.landing_flow import Flow


def land_at(flow: Flow, name: str, content: str, second: int) -> Path:
    """Lands a file that was written at a second of our choice."""
    file = flow.land(name, content)
    os.utime(file, (1_700_000_000 + second, 1_700_000_000 + second))
    return file


def ids(flow: Flow) -> list[str]:
    return sorted(row["id"] for row in flow.rows())


@pytest.mark.dlt(133)
def test_an_overwritten_file_is_not_read_again(flow: Flow) -> None:
    land_at(flow, "a.csv", "id\n1\n", 1)
    flow.run()
    land_at(flow, "a.csv", "id\n2\n", 2)
    assert flow.unread() == 0
    flow.run()
    assert ids(flow) == ["1"]


@pytest.mark.dlt(133)
def test_an_overwritten_file_is_read_again_if_asked(flow: Flow) -> None:
    flow.options["cloudFiles.allowOverwrites"] = "true"
    land_at(flow, "a.csv", "id\n1\n", 1)
    land_at(flow, "b.csv", "id\n9\n", 1)
    flow.run()
    assert flow.unread() == 0
    land_at(flow, "a.csv", "id\n2\n", 2)
    assert flow.unread() == 1
    flow.run()
    assert flow.unread() == 0
    flow.run()
    assert ids(flow) == ["1", "2", "9"]


@pytest.fixture
def read_flow(flow: Flow) -> Flow:
    """A flow that read one of its two files."""
    land_at(flow, "inner/a.csv", "id\n1\n", 1)
    flow.options["recursiveFileLookup"] = "true"
    flow.run()
    land_at(flow, "inner/b.csv", "id\n2\n", 1)
    return flow


def clean(flow: Flow, after: timedelta) -> list[str]:
    options = parse_options({"cloudFiles.format": "csv", **flow.options})
    now = datetime.now(UTC) + after
    return clean_source(flow.checkpoint, str(flow.landing), options, now)


@pytest.mark.dlt(137)
def test_read_files_are_moved_after_their_time_and_not_before(read_flow: Flow) -> None:
    target = read_flow.root / "done"
    read_flow.options["cloudFiles.cleanSource"] = "MOVE"
    read_flow.options["cloudFiles.cleanSource.moveDestination"] = str(target)
    read_flow.options["cloudFiles.cleanSource.retentionDuration"] = "2 days"
    assert clean(read_flow, timedelta(days=1)) == []
    assert clean(read_flow, timedelta(days=3)) == [str(read_flow.landing / "inner" / "a.csv")]
    assert (target / "inner" / "a.csv").read_text() == "id\n1\n"
    assert [file.name for file in read_flow.landing.rglob("*.csv")] == ["b.csv"]
    read_flow.run()
    assert ids(read_flow) == ["1", "2"]


@pytest.mark.dlt(137)
def test_read_files_are_deleted_if_asked_and_stay_otherwise(read_flow: Flow) -> None:
    assert clean(read_flow, timedelta(days=100)) == []
    read_flow.options["cloudFiles.cleanSource"] = "DELETE"
    assert len(clean(read_flow, timedelta(days=31))) == 1
    assert [file.name for file in read_flow.landing.rglob("*.csv")] == ["b.csv"]


@pytest.mark.parametrize("log", ["sources/0/0", "offsets/0"])
@pytest.mark.parametrize("version", ["v2", ""])
def test_a_log_of_another_version_is_refused_and_stays_as_it_is(
    flow: Flow, log: str, version: str
) -> None:
    flow.options["cloudFiles.allowOverwrites"] = "true"
    flow.land("a.csv", "id\n1\n")
    flow.run()
    flow.land("a.csv", "id\n22\n")
    file = flow.checkpoint / log
    file.write_text(file.read_text().replace("v1", version))
    before = file.read_bytes()
    with pytest.raises(UsageError, match=rf"{log}' has the version '{version}', not 'v1'"):
        flow.run()
    assert file.read_bytes() == before
