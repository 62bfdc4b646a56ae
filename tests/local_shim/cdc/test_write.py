"""How the rows of a batch reach small and big tables, and what stays of their layout."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from delta.tables import DeltaTable

from local_shim.cdc.write import table
from local_shim.jvm.configuration import settings
from tests.local_shim.cdc.one_target import Target, flow

pytestmark = pytest.mark.slow


@pytest.mark.dlt(24, 25, 45)
@pytest.mark.parametrize("scd_type", [1, 2])
def test_a_big_table_is_changed_in_place(target: Target, scd_type: int) -> None:
    """Its old rows are marked as deleted, and only new ones are written."""
    declared = flow(stored_as_scd_type=scd_type)
    big = target.spark.range(80).selectExpr(
        "cast(id as int) id", "concat(id, repeat('x', 500000)) v", "'' note", "'I' op", "10L seq"
    )
    with settings(target.spark, {"spark.sql.parquet.compression.codec": "uncompressed"}):
        target.take(big, declared)
    before = set(target.at.table.glob("*.parquet"))
    changes = [(1, "b", None, "U", 20), (2, None, None, "D", 20), (3, "late", None, "U", 5)]
    result = target.take([*changes, (90, "new", None, "U", 20)], declared)
    assert (result.upserted, result.deleted) == ((2, 1) if scd_type == 1 else (5, 0))
    target.take([(1, "c", None, "U", 30), (None, "nobody", None, "U", 1)], declared)
    rows = {(row[0], *row[3:]): row[1] for row in target.rows()}
    if scd_type == 1:
        assert (rows[1,], rows[90,], rows[None,]) == ("c", "new", "nobody")
        assert (2,) not in rows
        assert len(rows) == 81
    else:
        assert (rows[1, 20, 30], rows[1, 30, None], rows[3, 5, 10]) == ("b", "c", "late")
        assert {(1, 10, 20), (2, 10, 20), (3, 10, None), (None, 1, None)} <= set(rows)
        assert len(rows) == 85
    assert before <= set(target.at.table.glob("*.parquet"))
    assert list(target.at.table.glob("deletion_vector_*.bin"))
    detail = target.spark.sql(f"DESCRIBE HISTORY delta.`{target.at.table}`").first()
    assert detail and detail["operation"] == "MERGE"


def test_a_small_table_without_checksum_is_written_anew_and_keeps_its_layout(
    target: Target,
) -> None:
    target.spark.sql(
        f"CREATE TABLE delta.`{target.at.table}` (id int, v string, note string) USING delta "
        "CLUSTER BY (id)"
    )
    target.take([(1, "a", None, "U", 1), (2, "a", None, "U", 1)])
    # A copy, so that Delta has no snapshot of it in its cache.
    copy = target.at.table.with_name("copy")
    shutil.copytree(target.at.table, copy, ignore=shutil.ignore_patterns("*.crc"))
    target.at = replace(target.at, table=copy)
    target.take([(1, "b", None, "U", 2), (3, "b", None, "U", 2)])
    assert [row[:2] for row in target.rows()] == [(1, "b"), (2, "a"), (3, "b")]
    detail = target.spark.sql(f"DESCRIBE DETAIL delta.`{target.at.table}`").first()
    assert detail and detail["clusteringColumns"] == ["id"]


@pytest.mark.dlt(45)
def test_layout_properties_and_change_feed_of_the_table_are_kept(target: Target) -> None:
    target.spark.sql(
        f"CREATE TABLE delta.`{target.at.table}` (id int, v string, note string) USING delta "
        "CLUSTER BY (id) TBLPROPERTIES (quality='silver', 'delta.enableChangeDataFeed'='true')"
    )
    target.take([(1, "a", None, "U", 1), (2, "a", None, "U", 1), (3, "a", None, "U", 1)])
    target.take([(1, "b", None, "U", 2), (2, None, None, "D", 2)])
    detail = target.spark.sql(f"DESCRIBE DETAIL delta.`{target.at.table}`").first()
    assert detail and detail["clusteringColumns"] == ["id"]
    assert detail and detail["properties"]["quality"] == "silver"
    feed = target.spark.read.format("delta").option("readChangeFeed", "true")
    changes = feed.option("startingVersion", "2").load(str(target.at.table))
    feed_rows = sorted((row["_change_type"], row["id"], row["v"]) for row in changes.collect())
    assert feed_rows == [
        ("delete", 2, "a"),
        ("update_postimage", 1, "b"),
        ("update_preimage", 1, "a"),
    ]


@pytest.mark.dlt(45)
@pytest.mark.parametrize("scd_type", [1, 2])
@pytest.mark.parametrize("way", ["rewritten", "in place", "merged"])
def test_generated_columns_are_computed(
    target: Target, scd_type: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They make no version by themselves, and the source need not have them."""
    if way == "in place":
        monkeypatch.setattr(table, "SMALL_TABLE_BYTES", 0)
    builder = DeltaTable.create(target.spark).location(str(target.at.table))
    builder = builder.addColumn("id", "INT").addColumn("v", "STRING").addColumn("note", "STRING")
    builder = builder.addColumn("upper", "STRING", generatedAlwaysAs="upper(v)")
    if scd_type == 2:
        builder = builder.addColumn("__START_AT", "BIGINT").addColumn("__END_AT", "BIGINT")
    builder.property("delta.enableChangeDataFeed", str(way == "merged").lower()).execute()
    declared = flow(stored_as_scd_type=scd_type)
    first = target.take([(1, "a", "", "U", 1), (2, "b", "", "U", 1)], declared)
    target.take([(1, "c", "", "U", 2), (1, "c", "", "U", 3)], declared)
    assert first.warnings == ()
    rows = {(row[0], *row[4:]): row[1:4] for row in target.rows()}
    if scd_type == 1:
        assert rows == {(1,): ("c", "", "C"), (2,): ("b", "", "B")}
    else:
        assert rows == {
            (1, 1, 2): ("a", "", "A"),
            (1, 2, None): ("c", "", "C"),
            (2, 1, None): ("b", "", "B"),
        }
