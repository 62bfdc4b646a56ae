"""Which spellings of a path a prefix of `--path` maps."""

from __future__ import annotations

import pytest

from local_shim.reading.path_map import PathMap

SPELLINGS = ("dbfs:/mnt/in/a", "/dbfs/mnt/in/a", "/mnt/in/a")


@pytest.mark.parametrize("prefix", ["dbfs:/mnt/", "/dbfs/mnt/", "/mnt/"])
def test_a_folder_of_dbfs_has_three_spellings(prefix: str) -> None:
    paths = PathMap({prefix: "/here"})
    assert {paths.local(path) for path in SPELLINGS} == {"/here/in/a"}


def test_the_root_of_dbfs_does_not_map_folders_of_this_machine() -> None:
    paths = PathMap({"dbfs:/": "/here"})
    assert [paths.local(path) for path in SPELLINGS] == ["/here/mnt/in/a"] * 2 + ["/mnt/in/a"]


def test_a_prefix_in_the_spelling_of_the_path_wins() -> None:
    paths = PathMap({"dbfs:/mnt/": "/one", "/mnt/": "/two"})
    assert paths.local("/mnt/a") == "/two/a"
    assert paths.local("dbfs:/mnt/a") == "/one/a"
