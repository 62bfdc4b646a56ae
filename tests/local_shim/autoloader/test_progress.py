"""Every file is read exactly once, whatever happens between runs."""

from __future__ import annotations

import os
import shutil

import pytest
from pyspark.sql import DataFrame

from local_shim.autoloader.files.batch_limits import limits
from local_shim.autoloader.options.parse import parse_options
from local_shim.autoloader.stream import open_stream
from local_shim.errors import UsageError
from tests.local_shim.autoloader.landing_flow import Flow


def ids(flow: Flow) -> list[str]:
    return sorted(row["id"] for row in flow.rows())


@pytest.mark.dlt(135)
def test_each_file_is_read_once_over_many_updates(flow: Flow) -> None:
    flow.options["cloudFiles.maxFilesPerTrigger"] = "3"
    # The log is compacted after every second batch instead of every tenth.
    flow.spark.conf.set("spark.sql.streaming.fileSource.log.compactInterval", "2")
    for first, last in ((0, 6), (6, 9), (9, 12)):
        for number in range(first, last):
            flow.land(f"{number:02}.csv", f"id\n{number:02}\n")
        assert flow.unread() == last - first
        flow.run()
        assert flow.unread() == 0
    flow.spark.conf.unset("spark.sql.streaming.fileSource.log.compactInterval")
    assert list(flow.checkpoint.glob("sources/0/*.compact"))
    assert ids(flow) == [f"{number:02}" for number in range(12)]


@pytest.mark.dlt(135)
def test_a_batch_begun_and_not_done_counts_as_unread_and_is_read_once(flow: Flow) -> None:
    flow.land("a.csv", "id\n1\n")
    flow.run()
    flow.land("b.csv", "id\n2\n")
    flow.run()
    # What a crash leaves between the table's commit and the checkpoint's, and before both.
    last = max(flow.checkpoint.glob("commits/[0-9]*"), key=lambda file: int(file.name))
    last.unlink()
    assert flow.unread() == 1
    flow.run()
    assert flow.unread() == 0
    assert ids(flow) == ["1", "2"]


def test_files_with_odd_names_are_known_again(flow: Flow) -> None:
    for name in ("a b.csv", "50%.csv", "grün.csv", "x=1;y.csv", "a+b&c#d.csv"):
        flow.land(name, f"id\n{name}\n")
    flow.land("other header.csv", "b,id\n2,z\n")
    flow.run()
    assert len(flow.rows()) == 6
    assert flow.unread() == 0


def test_a_file_named_like_a_pattern_is_refused_since_spark_would_read_others_twice(
    flow: Flow,
) -> None:
    flow.land("[1].csv", "id\n1\n")
    with pytest.raises(UsageError, match=r"\[1\]\.csv.*\n.*rename"):
        flow.frame()


def test_hidden_files_are_not_read(flow: Flow) -> None:
    flow.land("a.csv", "id\n1\n")
    for name in ("_b.csv", ".c.csv", "e.csv._COPYING_", "_inner/d.csv"):
        flow.land(name, "id\n9\n")
    assert flow.unread() == 1
    flow.run()
    assert ids(flow) == ["1"]


def test_inner_folders_and_globs_are_read_if_asked(flow: Flow) -> None:
    flow.options["recursiveFileLookup"] = "true"
    flow.options["pathGlobFilter"] = "*.{csv,txt}"
    for name in ("a.csv", "inner/deep/b.txt", "inner/c.log"):
        flow.land(name, f"id\n{name}\n")
    assert flow.unread() == 2
    flow.run()
    assert ids(flow) == ["a.csv", "inner/deep/b.txt"]


def test_a_glob_names_folders(flow: Flow) -> None:
    for name in ("x/t/a.csv", "y/t/b.csv", "y/u/c.csv"):
        flow.land(name, f"id\n{name}\n")
    flow.run(flow.frame(path=str(flow.landing / "*" / "t")))
    assert ids(flow) == ["x/t/a.csv", "y/t/b.csv"]


def test_a_missing_folder_is_named_with_a_remedy(flow: Flow) -> None:
    with pytest.raises(UsageError, match=r"nowhere.*\n.*--path FROM=TO"):
        flow.frame(path=str(flow.root / "nowhere"))
    assert not flow.store.folder.exists()


@pytest.mark.dlt(132)
def test_existing_files_are_left_out_for_ever_or_never(flow: Flow) -> None:
    flow.options["cloudFiles.includeExistingFiles"] = "false"
    flow.land("a.csv", "id\n1\n")
    flow.land("a2.csv", "other,id\n1,1\n")
    flow.run()
    flow.land("b.csv", "id\n2\n")
    flow.options["cloudFiles.includeExistingFiles"] = "true"
    flow.run()
    flow.land("c.csv", "id\n3\n")
    flow.options["cloudFiles.includeExistingFiles"] = "false"
    flow.run()
    assert ids(flow) == ["2", "3"]


def test_files_of_a_span_of_time(flow: Flow) -> None:
    flow.options.update(modifiedAfter="2020-01-01 00:00:00", modifiedBefore="2020-01-03T00:00:00Z")
    for day in (1, 2, 3):
        file = flow.land(f"{day}.csv", f"id\n{day}\n")
        moment = 1577836800 + (day - 1) * 86400
        os.utime(file, (moment, moment))
    flow.run()
    assert ids(flow) == ["2"]


@pytest.mark.dlt(134)
@pytest.mark.parametrize(
    ("files", "size", "sizes", "expected"),
    [
        ("1000", None, [1] * 5, {"maxFilesPerTrigger": "1000"}),
        ("1000", "10m", [4 * 2**20] * 5, {"maxBytesPerTrigger": str(10 * 2**20)}),
        ("2", "10m", [2**20] * 5, {"maxFilesPerTrigger": "2"}),
        ("3", "10b", [1, 1, 1, 1, 8, 8, 1, 1, 1], {"maxFilesPerTrigger": "1"}),
        ("3", "10b", [], {"maxFilesPerTrigger": "3"}),
    ],
)
def test_number_and_size_limit_a_batch_together(
    files: str, size: str | None, sizes: list[int], expected: dict[str, str]
) -> None:
    texts = {"cloudFiles.format": "csv", "cloudFiles.maxFilesPerTrigger": files}
    options = parse_options(texts | ({"cloudFiles.maxBytesPerTrigger": size} if size else {}))
    assert limits(sizes, options) == expected


@pytest.mark.dlt(136)
def test_hive_folders_become_columns(flow: Flow) -> None:
    flow.options["cloudFiles.schemaHints"] = "year INT"
    flow.land("year=2025/country=DE/a.csv", "id\n1\n")
    flow.land("year=2026/country=A%2FB +%25/b.csv", "id\n2\n")
    flow.land("c.csv", "id\n3\n")
    flow.run()
    assert sorted(flow.rows(), key=lambda row: row["id"]) == [
        {"id": "1", "year": 2025, "country": "DE"},
        {"id": "2", "year": 2026, "country": "A/B +%"},
        {"id": "3"},
    ]


@pytest.mark.dlt(136)
@pytest.mark.parametrize(
    ("names", "columns"), [("", ["id"]), ("country,city", ["id", "country", "city"])]
)
def test_partition_columns_can_be_chosen(flow: Flow, names: str, columns: list[str]) -> None:
    flow.options["cloudFiles.partitionColumns"] = names
    flow.land("year=2025/country=DE/a.csv", "id\n1\n")
    flow.land("year=2025/country=FR/b.csv", "x,id\n1,2\n")
    flow.options["cloudFiles.schemaEvolutionMode"] = "none"
    assert [name for name in flow.frame().columns if name != "x"] == columns


def test_two_streams_of_one_query_have_each_their_progress(flow: Flow) -> None:
    flow.land("a.csv", "id\n1\n")
    other = flow.root / "other"
    other.mkdir()
    shutil.copy(flow.landing / "a.csv", other / "a.csv")

    def both() -> DataFrame:
        second = open_stream(
            flow.spark,
            str(other),
            parse_options({"cloudFiles.format": "csv", "header": "true"}),
            None,
            flow.store,
            remember=True,
        )
        return flow.frame().union(second)

    flow.run(both())
    flow.land("b.csv", "id\n2\n")
    assert flow.unread() == 1
    flow.run(both())
    assert ids(flow) == ["1", "1", "2"]
    assert flow.unread() == 0
