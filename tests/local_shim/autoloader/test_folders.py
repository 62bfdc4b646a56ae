"""Which folders below the landing folder are read."""

from __future__ import annotations

import pytest

from local_shim.errors import DefinitionError
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


def test_files_beside_such_a_folder_are_read_and_plain_folders_are_not(flow: Flow) -> None:
    flow.land("a.csv", "id\n1\n")
    flow.land("b.csv/part-00000.csv", "id\n2\n")
    flow.land("archive/old.csv", "id\n3\n")
    flow.land("b.csv/archive/old.csv", "id\n4\n")
    flow.run()
    assert sorted(row["id"] for row in flow.rows()) == ["1", "2"]


def test_a_plain_folder_beside_a_partition_is_not_read(flow: Flow) -> None:
    flow.land("year=2026/a.csv", "id\n1\n")
    flow.land("archive/old.csv", "id\n3\n")
    flow.run()
    assert flow.rows() == [{"id": "1", "year": "2026"}]


def test_a_plain_folder_alone_is_as_an_empty_landing_folder(flow: Flow) -> None:
    flow.land("archive/old.csv", "id\n1\n")
    with pytest.raises(DefinitionError, match="CF_EMPTY_DIR_FOR_SCHEMA_INFERENCE"):
        flow.frame()
