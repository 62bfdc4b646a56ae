"""Files that change after they were read, and files that are put away."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from local_shim.autoloader.csv.headers import Dialect, header_of
from local_shim.autoloader.files.clean_source import clean_source
from local_shim.autoloader.files.listing import SourceFile, source_files
from local_shim.autoloader.json.inference import json_fields
from local_shim.autoloader.json.json_format import JsonFormat
from local_shim.autoloader.options.parse import parse_options
from local_shim.autoloader.typed_files.file_schemas import schema_of
from local_shim.errors import UsageError
from tests.local_shim.autoloader.landing_flow import Flow

PARQUET = parse_options({"cloudFiles.format": "parquet"})


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


def clean(flow: Flow, after: timedelta, path: str = "") -> list[str]:
    options = parse_options({"cloudFiles.format": "csv", **flow.options})
    now = datetime.now(UTC) + after
    return clean_source(flow.checkpoint, path or str(flow.landing), options, now)


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
def test_moved_files_of_a_glob_do_not_take_each_others_place(flow: Flow) -> None:
    for name in ("x1/a.csv", "x10/a.csv"):
        land_at(flow, name, f"id\n{name}\n", 1)
    path = f"{flow.landing}/x*"
    flow.options["cloudFiles.cleanSource"] = "MOVE"
    flow.options["cloudFiles.cleanSource.moveDestination"] = str(flow.root / "done")
    flow.run(flow.frame(path=path))
    assert len(clean(flow, timedelta(days=31), path)) == 2
    moved = (flow.root / "done").rglob("*.csv")
    assert sorted(file.read_text() for file in moved) == ["id\nx1/a.csv\n", "id\nx10/a.csv\n"]


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


def test_a_file_that_is_rewritten_after_planning_is_read_by_its_new_header(flow: Flow) -> None:
    flow.options["cloudFiles.maxFilesPerTrigger"] = "1"
    land_at(flow, "a.csv", "id,n\n1,a\n", 1)
    second = land_at(flow, "b.csv", "n,id\nb,2\n", 2)

    def rewrite(batch: DataFrame, number: int) -> None:
        second.write_text("id,n\n3,c\n")
        flow.keep(batch, number)

    with pytest.raises(StreamingQueryException, match="which can be fixed by an automatic retry"):
        flow.run(each=rewrite)
    flow.run()
    assert sorted(flow.rows(), key=str) == [{"id": "1", "n": "a"}, {"id": "3", "n": "c"}]


def test_a_file_that_is_deleted_while_an_update_is_planned_is_passed_over(flow: Flow) -> None:
    deleted_file = SourceFile(str(flow.landing / "gone"), 1, 1)
    assert header_of(deleted_file, Dialect(header=True)) is None
    assert json_fields([deleted_file], JsonFormat(typed=True)) == StructType([])
    for kind in ("parquet", "orc"):
        assert schema_of(deleted_file, kind) == StructType([])


def test_a_damaged_file_is_an_error_unless_such_files_are_ignored(flow: Flow) -> None:
    (damaged,) = source_files(str(flow.land("a.parquet", "no Parquet").parent), PARQUET)
    with pytest.raises(Py4JJavaError, match="is not a Parquet file"):
        schema_of(damaged, "parquet")
    assert schema_of(damaged, "parquet", ignore_corrupt=True) == StructType([])
