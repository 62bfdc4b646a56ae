"""Which folders below the landing folder are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_shim.autoloader.files.listing import source_files
from local_shim.autoloader.options.parse import parse_options
from local_shim.errors import DefinitionError, UsageError
from tests.local_shim.autoloader.landing_flow import Flow


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_a_folder_that_spark_wrote_is_read_like_a_file(flow: Flow, kind: str) -> None:
    flow.options["cloudFiles.format"] = kind
    flow.options["header"] = "true"
    for batch in (0, 1):
        frame = flow.spark.range(batch * 2, batch * 2 + 2).selectExpr("CAST(id AS STRING) AS id")
        folder = str(flow.landing / f"batch {batch}.{kind}")
        frame.write.format(kind).option("header", "true").save(folder)
        flow.run()
        assert flow.unread() == 0
    assert sorted(row["id"] for row in flow.rows()) == ["0", "1", "2", "3"]
    assert not any("_rescued_data" in row for row in flow.rows())


def test_files_of_all_folders_are_read_but_hidden_ones(flow: Flow) -> None:
    for number, name in enumerate(("a", "b.csv/part", "in/ner/c", "year=2026/d", "_tmp/e")):
        flow.land(f"{name}.csv", f"id\n{number}\n")
    assert flow.unread() == 4
    flow.run()
    years = {row["id"]: row.get("year") for row in flow.rows()}
    assert years == {"0": None, "1": None, "2": None, "3": "2026"}


@pytest.mark.parametrize(
    ("pattern", "file", "lenient", "strict"),
    [
        ("/a/b", "/a/b/c/file.txt", True, True),
        ("/a/b", "/a/b_dir/c/file.txt", False, False),
        ("/a/b/", "/a/b.txt", False, False),
        ("/a/*/c/", "/a/b/c/d/file.txt", True, True),
        ("/a/*/c/", "/a/b/x/y/c/file.txt", True, False),
        ("/a/*/c", "/a/b/c_file.txt", True, False),
        ("/a/*/c/", "/a/b/cookie/file.txt", True, False),
        ("/a/b*", "/a/b.txt", True, True),
        ("/a/b*", "/a/bx/file.txt", True, True),
        ("/a/{0.txt,1.txt}", "/a/0.txt", True, True),
        ("/a/*/{0.txt,1.txt}", "/a/0.txt", False, False),
        ("/a/b/[cde-h]/i/", "/a/b/c/i/file.txt", True, True),
        ("/a/b/[^cd]", "/a/b/c/file.txt", False, False),
        ("/a/?,b", "/a/x,b/file.txt", True, True),
    ],
)
def test_patterns_match_as_the_table_of_databricks_says(
    tmp_path: Path, pattern: str, file: str, lenient: bool, strict: bool
) -> None:
    path = tmp_path / file[1:]
    path.parent.mkdir(parents=True)
    path.touch()
    for expected, globber in ((lenient, "false"), (strict, "true")):
        options = {"cloudFiles.format": "text", "cloudFiles.useStrictGlobber": globber}
        try:
            files = source_files(f"{tmp_path}{pattern}", parse_options(options))
        except UsageError:  # nothing has this name
            files = []
        assert bool(files) == expected


def test_a_star_of_the_default_globber_goes_over_folders(flow: Flow) -> None:
    for name in ("x/t/a", "x y/z/t/b", "y/tea/c", "y/u/d"):
        flow.land(f"{name}.csv", f"id\n{name}\n")
    flow.run(flow.frame(path=f"{flow.landing}/*/t/"))
    assert sorted(row["id"] for row in flow.rows()) == ["x y/z/t/b", "x/t/a", "y/tea/c"]


@pytest.mark.parametrize("option", ["cloudFiles.cleanSource.moveDestination", "badRecordsPath"])
def test_a_target_inside_of_the_source_folder_is_refused_unless_it_is_hidden(
    flow: Flow, option: str
) -> None:
    flow.land("a.csv", "id\n1\n")
    flow.options |= {"cloudFiles.cleanSource": "MOVE"}
    flow.options["cloudFiles.cleanSource.moveDestination"] = str(flow.root / "landing 2")
    flow.options[option] = str(flow.landing / "_done")
    flow.frame()
    flow.options[option] = str(flow.landing / "done")
    with pytest.raises(DefinitionError, match=rf"CF_TARGET_IN_SOURCE_FOLDER.*{option}"):
        flow.frame()
