"""Which columns a file has and in which order: items 16 to 20, 25, 29 and 30."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.local_shim.dms.lab import (
    BEFORE,
    INCLUDE,
    NOON,
    POSITION,
    PROFILE,
    SEQUENCE,
    Lab,
    added,
    steady,
)

TABLE = "CREATE TABLE t (a int, id int PRIMARY KEY, b text)"


def one_of_each(lab: Lab) -> None:
    """A row of the full load, then an insert, an update and a delete."""
    lab.sql(TABLE, "INSERT INTO t VALUES (10, 1, 'x')")
    lab.load()
    lab.sql("INSERT INTO t VALUES (20, 2, 'y')", "UPDATE t SET a = 11 WHERE id = 1")
    lab.sql("DELETE FROM t WHERE id = 2")
    lab.cdc()


@pytest.mark.dms(16)
def test_op_timestamp_source_added_by_rule_id_before_image(lab: Lab) -> None:
    lab.set_up(
        rules=[BEFORE, added(12, "late", "'z'"), INCLUDE, added(9, "early", "'e'"), SEQUENCE]
    )
    one_of_each(lab)
    expected = ["Op", "ts", "a", "id", "b", "early", "seq", "late", "BI_id"]
    assert list(lab.loaded()[0]) == expected
    assert list(lab.changed()[0]) == expected


@pytest.mark.dms(17, 18)
@pytest.mark.parametrize(
    ("settings", "load", "changes"),
    [
        ({}, None, ["I", "U", "D"]),
        ({"IncludeOpForFullLoad": True}, "I", ["I", "U", "D"]),
        ({"IncludeOpForFullLoad": True, "CdcInsertsOnly": True}, "I", ["I"]),
        ({"CdcInsertsOnly": True}, None, [None]),
        ({"IncludeOpForFullLoad": True, "CdcInsertsAndUpdates": True}, "I", ["I", "U"]),
        ({"CdcInsertsAndUpdates": True}, None, [None, None]),
    ],
)
def test_the_op_column_in_all_combinations(
    lab: Lab, settings: dict[str, Any], load: str | None, changes: list[str | None]
) -> None:
    lab.set_up(s3={"AddColumnName": True, **settings})
    one_of_each(lab)
    assert [row.get("Op") for row in lab.loaded()] == [load]
    assert [row.get("Op") for row in lab.changed()] == changes


@pytest.mark.dms(19)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_timestamp_has_six_digits_and_is_required_in_parquet(lab: Lab, form: str) -> None:
    lab.set_up(s3={**PROFILE, "DataFormat": form})
    lab.clock = steady(NOON)
    lab.sql(TABLE, "INSERT INTO t VALUES (10, 1, 'x')")
    lab.load()
    if form == "csv":
        assert lab.loaded()[0]["ts"] == "2023-11-14 22:13:20.000000"
        return
    table = pq.read_table(lab.target / lab.objects()[0])
    assert table["ts"].to_pylist() == ["2023-11-14 22:13:20.000000"]
    schema = pq.ParquetFile(lab.target / lab.objects()[0]).schema
    required = {
        schema.column(i).name: schema.column(i).max_definition_level == 0
        for i in range(len(schema))
    }
    assert [name for name, is_required in required.items() if is_required] == ["ts"]
    assert str(schema.column(1).logical_type) == "String"


@pytest.mark.dms(20)
def test_load_rows_carry_the_task_s_start_or_a_rising_time(lab: Lab) -> None:
    lab.sql(TABLE, "INSERT INTO t SELECT g, g, 'x' FROM generate_series(1, 5) g")
    lab.clock = steady(NOON, step=0)
    lab.load()
    assert {row["ts"] for row in lab.loaded()} == {"2023-11-14 22:13:20.000000"}
    lab.set_up(s3={**PROFILE, "UseTaskStartTimeForFullLoadTimestamp": False})
    lab.load()
    stamps = [row["ts"] for row in lab.loaded()]
    assert stamps == sorted(set(stamps))
    assert stamps[0] > "2023-11-14 22:13:20.000000"


@pytest.mark.dms(20)
def test_the_task_s_start_is_before_every_later_commit_though_our_clock_is_ahead(lab: Lab) -> None:
    lab.clock = steady(4_000_000_000_000_000)  # the year 2096
    one_of_each(lab)
    assert lab.loaded()[0]["ts"] < lab.changed()[0]["ts"] < "2096"


@pytest.mark.dms(25)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_sequence_and_position_are_empty_texts_on_load_rows(lab: Lab, form: str) -> None:
    lab.set_up(s3={**PROFILE, "DataFormat": form}, rules=[INCLUDE, SEQUENCE, POSITION])
    lab.sql(TABLE, "INSERT INTO t VALUES (10, 1, 'x')")
    lab.load()
    if form == "csv":
        assert lab.text(lab.objects()[0]).splitlines()[1].endswith(",x,,")
    else:
        row = pq.read_table(lab.target / lab.objects()[0]).to_pylist()[0]
        assert (row["seq"], row["pos"]) == ("", "")


@pytest.mark.dms(29)
def test_before_images_hold_the_old_key_on_updates_and_deletes_only(lab: Lab) -> None:
    lab.sql("CREATE TABLE t (id int, part int, v text, PRIMARY KEY (part, id))")
    lab.sql("INSERT INTO t VALUES (1, 5, 'x'), (2, 5, 'y')")
    lab.load()
    lab.sql(
        "INSERT INTO t VALUES (3, 5, 'z')",
        "UPDATE t SET v = 'new' WHERE id = 1",
        "UPDATE t SET id = 20 WHERE id = 2",
        "DELETE FROM t WHERE id = 3",
    )
    lab.cdc()
    assert {(r["BI_part"], r["BI_id"]) for r in lab.loaded()} == {("\\N", "\\N")}
    images = [(r["Op"], r["id"], r["BI_part"], r["BI_id"]) for r in lab.changed()]
    assert images == [
        ("I", "3", "\\N", "\\N"),
        ("U", "1", "5", "1"),
        ("U", "20", "5", "2"),
        ("D", "3", "5", "3"),
    ]
    assert list(lab.changed()[0])[-2:] == ["BI_part", "BI_id"]  # in the key's order


@pytest.mark.dms(29)
def test_a_before_image_takes_the_renamed_column_and_the_suffix(lab: Lab) -> None:
    image = {"column-prefix": "OLD_", "column-suffix": "_WAS", "column-filter": "pk-only"}
    rename = {
        "rule-type": "transformation",
        "rule-id": "5",
        "rule-target": "column",
        "rule-action": "rename",
        "object-locator": {"schema-name": "%", "table-name": "t", "column-name": "id"},
        "value": "key",
    }
    lab.set_up(rules=[INCLUDE, rename, {**BEFORE, "before-image-def": image}])
    one_of_each(lab)
    assert list(lab.changed()[0]) == ["Op", "ts", "a", "key", "b", "OLD_key_WAS"]


@pytest.mark.dms(30)
@pytest.mark.parametrize("header", [True, False])
def test_every_csv_file_has_a_header_if_column_names_are_asked_for(lab: Lab, header: bool) -> None:
    lab.set_up(
        s3={**PROFILE, "AddColumnName": header, "MaxFileSize": 1, "CdcMinFileSize": 1},
        rules=[INCLUDE],
    )
    lab.sql(TABLE, "INSERT INTO t SELECT g, g, repeat('x', 900) FROM generate_series(1, 4) g")
    lab.load()
    lab.sql("UPDATE t SET a = 0")
    lab.cdc()
    firsts = [lab.text(key).partition("\n")[0] for key in lab.objects()]
    assert len(firsts) == 4  # two of the load, two of changes
    assert {first == "Op,ts,a,id,b" for first in firsts} == {header}
