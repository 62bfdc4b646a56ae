"""What is refused, what is warned of, what may change between updates and what may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from local_shim.cdc.apply import (
    Batch,
    CdcResult,
    CdcTarget,
    apply_batch,
    check_drift,
    collect_tombstones,
)
from local_shim.cdc.target.schema import target_schema
from local_shim.cdc.target.target import CdcOptions
from local_shim.declaring.cdc_arguments import auto_cdc_flow
from local_shim.errors import DefinitionError, FlowError
from local_shim.graph.elements import AutoCdcFlow
from local_shim.jvm.session import settings
from tests.local_shim.cdc.shapes import HERE, SPACE, held, target_in

COLUMNS = "id int, v string, note string, op string, seq bigint"
Rows = list[tuple[Any, ...]]


def flow(**arguments: Any) -> AutoCdcFlow:
    given = {
        "target": "t",
        "source": "s",
        "keys": ["id"],
        "sequence_by": "seq",
        "apply_as_deletes": "op = 'D'",
        "except_column_list": ["op", "seq"],
        **arguments,
    }
    return auto_cdc_flow(where=HERE, namespace=SPACE, **given)


class Target:
    """A target in a folder, to which batches are applied one after the other."""

    def __init__(self, spark: SparkSession, folder: Path):
        self.spark, self.at, self.batches = spark, target_in(folder), 0

    def take(
        self, rows: Rows | DataFrame, declared: AutoCdcFlow | None = None, schema: str = COLUMNS
    ) -> CdcResult:
        frame = rows if isinstance(rows, DataFrame) else self.spark.createDataFrame(rows, schema)
        self.batches += 1
        return apply_batch(frame, Batch("app", self.batches), declared or flow(), self.at)

    def rows(self) -> list[tuple[Any, ...]]:
        return sorted((tuple(row) for row in held(self.spark, self.at)), key=repr)

    def refuses(self, declared: AutoCdcFlow, schema: str = COLUMNS) -> str:
        with pytest.raises(FlowError) as caught:
            check_drift(declared, self.at, self.spark.createDataFrame([], schema))
        return str(caught.value)


@pytest.fixture
def target(spark: SparkSession, tmp_path: Path) -> Target:
    return Target(spark, tmp_path)


@pytest.mark.dlt(29)
def test_a_null_sequence_fails_with_flow_and_count_and_writes_nothing(target: Target) -> None:
    with pytest.raises(FlowError, match="Flow 't': 2 change rows have no sequence"):
        target.take([(1, "a", None, "U", None), (2, "a", None, "D", None), (3, "a", None, "U", 1)])
    assert target.rows() == []


@pytest.mark.dlt(29)
def test_a_null_sequence_is_the_lowest_if_asked(target: Target) -> None:
    target.at = replace(target.at, manner=CdcOptions(null_sequences=True))
    target.take([(1, "a", None, "U", 1), (2, "b", None, "U", None), (3, "c", None, "D", None)])
    assert target.rows() == [(1, "a", None), (2, "b", None)]
    target.take([(1, "z", None, "U", None), (2, "c", None, "U", 0), (3, "d", None, "U", 0)])
    assert target.rows() == [(1, "a", None), (2, "c", None), (3, "d", None)]
    check_drift(flow(), target.at, target.spark.createDataFrame([], COLUMNS))
    target.at = replace(target.at, manner=CdcOptions())
    assert "SEQUENCING_TYPE_DRIFT" in target.refuses(flow())


@pytest.mark.dlt(29)
def test_history_needs_a_start_in_any_manner(target: Target) -> None:
    target.at = replace(target.at, manner=CdcOptions(null_sequences=True))
    with pytest.raises(FlowError, match="1 change rows have no sequence"):
        target.take([(1, "a", None, "U", None)], flow(stored_as_scd_type=2))


@pytest.mark.dlt(30, 31)
def test_null_keys_fail_if_asked_but_truncates_have_none(target: Target) -> None:
    target.at = replace(target.at, manner=CdcOptions(strict_keys=True))
    with pytest.raises(FlowError, match="2 change rows have NULL in a key"):
        target.take([(None, "a", None, "U", 1), (None, "b", None, "U", 2)])
    assert target.rows() == []
    truncating = flow(name="truncating", apply_as_truncates="op = 'T'")
    target.take([(None, None, None, "T", 5), (3, "a", None, "U", 6)], truncating)
    assert target.rows() == [(3, "a", None)]


@pytest.mark.dlt(62)
def test_a_late_delete_leaves_a_remainder_if_asked(target: Target) -> None:
    late = [(1, None, None, "D", 15)]
    two = flow(stored_as_scd_type=2)
    target.at = replace(target.at, manner=CdcOptions(remainders=True))
    target.take([(1, "a", None, "U", 10), (1, None, None, "D", 20)], two)
    target.take(late, two)
    assert target.rows() == [(1, "a", None, 10, 15), (1, "a", None, None, 20)]
    assert target.take(late, two).upserted == 0
    target.take([(1, "b", None, "U", 17)], two)
    assert target.rows() == [(1, "a", None, 10, 15), (1, "b", None, 17, 20)]
    target.at = replace(target.at, manner=CdcOptions())
    assert "REMAINDERS_DRIFT" in target.refuses(two)


@pytest.mark.dlt(62)
def test_the_remainders_flag_is_nothing_to_a_target_without_history(target: Target) -> None:
    target.take([(1, "a", None, "U", 10)])
    target.at = replace(target.at, manner=CdcOptions(remainders=True))
    check_drift(flow(), target.at, target.spark.createDataFrame([], COLUMNS))


@pytest.mark.dlt(30, 32, 33, 35, 45)
def test_null_keys_and_ties_are_warned_of(target: Target) -> None:
    first = target.take(
        [
            (None, "a", None, "U", 1),
            (1, "a", None, "U", 1),
            (2, "x", None, "U", 1),
            (2, "y", None, "U", 1),
            (3, "x", None, "U", 1),
            (3, "x", None, "U", 1),
        ]
    )
    assert (first.upserted, first.deleted) == (4, 0)
    assert [w.split(" ", 1)[0] for w in first.warnings] == ["1", "1"]
    second = target.take([(None, "b", None, "U", 2), (1, None, None, "D", 1), (9, "", "", "D", 1)])
    assert (second.upserted, second.deleted) == (1, 1)
    assert "NULL was matched as a value" in second.warnings[0]
    assert "same sequence" in second.warnings[1]
    assert target.rows() == [(2, "y", None), (3, "x", None), (None, "b", None)]


def test_where_is_a_promise_and_filters_nothing(target: Target) -> None:
    promised = flow(prune_where="id < 10")
    target.take([(1, "a", None, "U", 1)], promised)
    with pytest.raises(FlowError, match="1 change rows do not satisfy"):
        target.take([(11, "a", None, "U", 1)], promised)
    assert target.rows() == [(1, "a", None)]


@pytest.mark.dlt(36, 37, 38, 59)
def test_columns_that_cannot_be_are_refused_before_any_write(spark: SparkSession) -> None:
    source = spark.createDataFrame([], COLUMNS + ", m map<string,int>")
    wrong = {
        "AUTOCDC_NON_ORDERABLE_SEQUENCE": flow(sequence_by="m"),
        "Available columns: id, v, note, op, seq, m": flow(except_column_list=["nope"]),
        "AUTOCDC_KEY_NOT_IN_SELECTED_SCHEMA": flow(column_list=["v"], except_column_list=None),
        "track_history_column_list names op": flow(
            stored_as_scd_type=2, track_history_column_list=["op"]
        ),
        "columns_to_update names 'v', which is of type string": flow(columns_to_update="v"),
    }
    for told, declared in wrong.items():
        with pytest.raises(DefinitionError) as caught:
            target_schema(declared, source)
        assert told in str(caught.value)
    with pytest.raises(DefinitionError, match="AUTOCDC_RESERVED_COLUMN_NAME"):
        renamed = source.withColumnRenamed("note", "__START_AT")
        target_schema(flow(stored_as_scd_type=2), renamed)


@pytest.mark.dlt(35, 58, 59)
def test_the_schema_of_a_target_is_clean_and_a_declared_one_is_checked(spark: SparkSession) -> None:
    source = spark.createDataFrame([], COLUMNS)
    two = flow(stored_as_scd_type=2)
    found = target_schema(two, source)
    assert found.simpleString() == (
        "struct<id:int,v:string,note:string,__START_AT:bigint,__END_AT:bigint>"
    )
    assert target_schema(two, source, found) == found
    for wrong, told in (
        ("id int, v string, note string", "lacks __START_AT, __END_AT"),
        ("id int, v string, note string, __START_AT int, __END_AT int", "has __START_AT INT"),
        ("id int, v string, __START_AT bigint, __END_AT bigint", "lacks the source's columns note"),
    ):
        with pytest.raises(DefinitionError, match=told):
            target_schema(two, source, StructType.fromDDL(wrong))


@pytest.mark.dlt(34)
def test_what_history_hangs_on_may_not_change(target: Target) -> None:
    two = {"stored_as_scd_type": 2, "track_history_column_list": ["v"]}
    target.take([(1, "a", None, "U", 1)], flow(**two))
    before = target.rows()
    assert "KEY_SCHEMA_DRIFT" in target.refuses(flow(**two, keys=["id", "v"]))
    assert "SCD_TYPE_DRIFT" in target.refuses(flow())
    assert "TRACK_HISTORY_DRIFT" in target.refuses(flow(stored_as_scd_type=2))
    assert "SEQUENCING_TYPE_DRIFT" in target.refuses(flow(**two), COLUMNS.replace("bigint", "int"))
    told = target.refuses(flow(**two, sequence_by="op"))
    assert "the sequence" in told or "type of the sequence" in told
    assert "--full-refresh t" in told
    gone = target.refuses(flow(**two), COLUMNS.replace("note string, ", ""))
    assert "COLUMN_VANISHED" in gone
    assert "the values of note" in gone
    no_key = target.refuses(flow(**two), COLUMNS.replace("id int", "ident int"))
    assert "KEY" in no_key
    assert "--full-refresh t" in no_key
    changed = target.refuses(flow(**two), COLUMNS.replace("v string", "v array<int>"))
    assert "INCOMPATIBLE_COLUMN_TYPE" in changed
    check_drift(flow(**two), target.at, target.spark.createDataFrame([], COLUMNS))
    assert target.rows() == before


@pytest.mark.dlt(44)
@pytest.mark.parametrize("scd_type", [1, 2])
def test_a_new_source_column_is_added(target: Target, scd_type: int) -> None:
    declared = flow(stored_as_scd_type=scd_type, column_list=None)
    wider = COLUMNS.replace("note string", "note string, extra int")
    target.take([(1, "a", "n", "U", 1), (2, "a", "n", "U", 1)], declared)
    target.take([(1, "a", "n", 7, "U", 2)], declared, wider)
    ends = {1: (), 2: ((1, None), (1, 2), (2, None))}[scd_type]
    expected = [(1, "a", "n", 7), (2, "a", "n", None)]
    if ends:
        expected = [
            (1, "a", "n", 7, 2, None),
            (1, "a", "n", None, 1, 2),
            (2, "a", "n", None, 1, None),
        ]
    assert target.rows() == expected


@pytest.mark.dlt(44)
def test_fields_of_structs_are_added_and_go_by_name(target: Target) -> None:
    declared = flow(stored_as_scd_type=2, except_column_list=["seq"], apply_as_deletes=None)
    target.take([(1, (1, 2), 1)], declared, "id int, s struct<x:int,y:int>, seq bigint")
    target.take([(1, (3, 4, 5), 2)], declared, "id int, s struct<y:int,z:int,x:int>, seq bigint")
    assert target.rows() == [(1, (1, 2, None), 1, 2), (1, (5, 3, 4), 2, None)]
    told = target.refuses(declared, "id int, s struct<x:int,y:int>, seq bigint")
    assert "INCOMPATIBLE_COLUMN_TYPE" in told


@pytest.mark.dlt(39, 42)
def test_a_hydrating_flow_and_a_running_one_share_a_target(target: Target) -> None:
    hydrate = flow(name="hydrate", sequence_by=F.lit(0), apply_as_deletes=None)
    target.take([(1, "new", None, "U", 5), (3, None, None, "D", 5)], flow(name="stream"))
    target.take([(n, "old", None, "U", 9) for n in (1, 2, 3)], hydrate)
    assert target.rows() == [(1, "new", None), (2, "old", None)]
    target.take([(2, "new", None, "U", 1)], flow(name="stream"))
    assert target.rows() == [(1, "new", None), (2, "new", None)]


@pytest.mark.dlt(49, 159)
def test_a_forgotten_delete_lets_older_changes_in(target: Target) -> None:
    now = datetime.now(UTC)
    target.take([(1, "a", None, "U", 10), (1, None, None, "D", 20), (2, "a", None, "U", 10)])
    collect_tombstones(flow(), target.at, now)
    target.take([(1, "b", None, "U", 15)])
    assert target.rows() == [(2, "a", None)]
    at_once = CdcTarget(target.at.table, target.at.state, target.at.name, tombstone_seconds=0)
    collect_tombstones(flow(), at_once, now + timedelta(hours=1))
    target.take([(1, "c", None, "U", 16), (2, "late", None, "U", 5)])
    assert target.rows() == [(1, "c", None), (2, "a", None)]


@pytest.mark.dlt(67)
def test_fifty_untracked_changes_leave_one_row(target: Target) -> None:
    rows = [(1, "a", str(n), "U", n) for n in range(51)]
    target.take(rows, flow(stored_as_scd_type=2, track_history_except_column_list=["note"]))
    assert target.rows() == [(1, "a", "50", 0, None)]


def test_memory_is_compacted_and_decides_as_before(target: Target) -> None:
    for number in range(8):
        target.take([(number % 3, str(number), None, "U", number + 10)])
    assert len(list(Path(target.at.state).glob("part-*"))) == 1
    result = target.take([(n, "late", None, "U", 1) for n in range(3)])
    assert result.upserted == 0
    assert target.rows() == [(0, "6", None), (1, "7", None), (2, "5", None)]


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
    before = set(Path(target.at.table).glob("*.parquet"))
    changes = [(1, "b", None, "U", 20), (2, None, None, "D", 20), (3, "late", None, "U", 5)]
    result = target.take([*changes, (90, "new", None, "U", 20)], declared)
    assert (result.upserted, result.deleted) == ((2, 1) if scd_type == 1 else (5, 0))
    target.take([(1, "c", None, "U", 30), (None, "nobody", None, "U", 1)], declared)
    found = {(row[0], *row[3:]): row[1] for row in target.rows()}
    if scd_type == 1:
        assert (found[1,], found[90,], found[None,]) == ("c", "new", "nobody")
        assert (2,) not in found
        assert len(found) == 81
    else:
        assert (found[1, 20, 30], found[1, 30, None], found[3, 5, 10]) == ("b", "c", "late")
        assert {(1, 10, 20), (2, 10, 20), (3, 10, None), (None, 1, None)} <= set(found)
        assert len(found) == 85
    assert before <= set(Path(target.at.table).glob("*.parquet"))
    assert list(Path(target.at.table).glob("deletion_vector_*.bin"))
    detail = target.spark.sql(f"DESCRIBE HISTORY delta.`{target.at.table}`").first()
    assert detail["operation"] == "MERGE"


def test_a_small_table_without_checksum_is_written_anew_and_keeps_its_layout(
    target: Target,
) -> None:
    target.spark.sql(
        f"CREATE TABLE delta.`{target.at.table}` (id int, v string, note string) USING delta "
        "CLUSTER BY (id)"
    )
    target.take([(1, "a", None, "U", 1), (2, "a", None, "U", 1)])
    for checksum in Path(target.at.table, "_delta_log").glob("*.crc"):
        checksum.unlink()
    target.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    target.take([(1, "b", None, "U", 2), (3, "b", None, "U", 2)])
    assert [row[:2] for row in target.rows()] == [(1, "b"), (2, "a"), (3, "b")]
    detail = target.spark.sql(f"DESCRIBE DETAIL delta.`{target.at.table}`").first()
    assert detail["clusteringColumns"] == ["id"]


@pytest.mark.dlt(45)
def test_layout_properties_and_change_feed_of_the_table_are_kept(target: Target) -> None:
    target.spark.sql(
        f"CREATE TABLE delta.`{target.at.table}` (id int, v string, note string) USING delta "
        "CLUSTER BY (id) TBLPROPERTIES (quality='silver', 'delta.enableChangeDataFeed'='true')"
    )
    target.take([(1, "a", None, "U", 1), (2, "a", None, "U", 1), (3, "a", None, "U", 1)])
    target.take([(1, "b", None, "U", 2), (2, None, None, "D", 2)])
    detail = target.spark.sql(f"DESCRIBE DETAIL delta.`{target.at.table}`").first()
    assert detail["clusteringColumns"] == ["id"]
    assert detail["properties"]["quality"] == "silver"
    feed = target.spark.read.format("delta").option("readChangeFeed", "true")
    changes = feed.option("startingVersion", "2").load(target.at.table)
    found = sorted((row["_change_type"], row["id"], row["v"]) for row in changes.collect())
    assert found == [
        ("delete", 2, "a"),
        ("update_postimage", 1, "b"),
        ("update_preimage", 1, "a"),
    ]
