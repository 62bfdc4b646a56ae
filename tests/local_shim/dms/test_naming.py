"""Names, folders and the way files appear: items 1 to 6, 8 to 12 and 14."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from local_shim.dms.clock import Clock
from local_shim.dms.s3.object_keys import date_folder, load_name
from local_shim.dms.settings.s3_target import DELIMITERS, SEQUENCES, DatePartition
from tests.local_shim.dms.lab import NOON, PROFILE, Lab, steady

WIDE = "CREATE TABLE t (id int PRIMARY KEY, v text)"
KILOBYTE_ROWS = "INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series({}, {}) g"


@pytest.mark.dms(1, 6)
def test_load_files_rotate_at_max_file_size_and_count_in_hexadecimal(lab: Lab) -> None:
    lab.set_up(s3={**PROFILE, "MaxFileSize": 1})
    lab.sql(WIDE, KILOBYTE_ROWS.format(1, 17))
    lab.load()
    names = [key.rpartition("/")[2] for key in lab.objects()]
    assert lab.objects()[0] == "public/t/LOAD00000001.csv"
    assert names[8:11] == ["LOAD00000009.csv", "LOAD0000000A.csv", "LOAD0000000B.csv"]
    assert names[15:] == ["LOAD00000010.csv", "LOAD00000011.csv"]
    assert len(lab.loaded()) == 17


@pytest.mark.dms(1)
def test_the_counter_has_eight_upper_case_digits() -> None:
    assert load_name(0xABCDEF, ".parquet") == "LOAD00ABCDEF.parquet"


@pytest.mark.dms(2)
def test_cdc_files_are_named_by_the_task_s_own_clock_and_rise_though_it_stands_still(
    lab: Lab,
) -> None:
    lab.clock = Clock(lambda: NOON, lambda: 0.0)
    lab.sql(WIDE)
    lab.load()
    for number in range(3):
        lab.sql(f"INSERT INTO t VALUES ({number})")
        lab.cdc()
    assert [key.rpartition("/")[2] for key in lab.cdc_keys()] == [
        "20231114-221320000.csv",
        "20231114-221320001.csv",
        "20231114-221320002.csv",
    ]
    assert [row["id"] for row in lab.changed()] == ["0", "1", "2"]


@pytest.mark.dms(2)
def test_cdc_names_rise_when_the_clock_goes_back(lab: Lab) -> None:
    lab.sql(WIDE)
    lab.clock = steady(NOON)
    lab.load()
    for number, start in ((1, NOON), (2, NOON - 3_600_000_000)):
        lab.clock = steady(start)
        lab.sql(f"INSERT INTO t VALUES ({number})")
        lab.cdc()
    assert [row["id"] for row in lab.changed()] == ["1", "2"]


@pytest.mark.dms(3)
@pytest.mark.parametrize("folder", ["", "landing/insurance"])
def test_everything_lies_below_the_bucket_folder(lab: Lab, folder: str) -> None:
    lab.set_up(s3={**PROFILE, "BucketFolder": folder})
    lab.sql(WIDE, "INSERT INTO t VALUES (1)")
    lab.load()
    lab.sql("INSERT INTO t VALUES (2)")
    lab.cdc()
    place = f"{folder}/public/t" if folder else "public/t"
    assert {key.rpartition("/")[0] for key in lab.objects()} == {place}


@pytest.mark.dms(4)
def test_an_empty_table_leaves_no_trace_and_no_change_makes_no_file(lab: Lab) -> None:
    lab.sql(WIDE)
    lab.load()
    lab.cdc()
    lab.sql("UPDATE t SET v = 'nobody'")
    lab.cdc()
    assert lab.objects() == []
    assert not (lab.target / "public").exists()


@pytest.mark.dms(5)
def test_gzip_ends_in_csv_gz_and_is_a_valid_member(lab: Lab) -> None:
    lab.set_up(s3={**PROFILE, "CompressionType": "GZIP"})
    lab.sql(WIDE, "INSERT INTO t VALUES (1, 'a')")
    lab.load()
    lab.sql("INSERT INTO t VALUES (2, 'b')")
    lab.cdc()
    keys = lab.objects()
    assert all(key.endswith(".csv.gz") for key in keys)
    texts = [gzip.decompress((lab.target / key).read_bytes()).decode() for key in keys]
    assert sorted(text.splitlines()[1].split(",")[2] for text in texts) == ["1", "2"]


@pytest.mark.dms(5)
def test_gzip_inside_parquet_keeps_the_name(lab: Lab) -> None:
    import pyarrow.parquet as pq

    lab.set_up(s3={**PROFILE, "DataFormat": "parquet", "CompressionType": "gzip"})
    lab.sql(WIDE, "INSERT INTO t VALUES (1, 'a')")
    lab.load()
    assert lab.objects() == ["public/t/LOAD00000001.parquet"]
    metadata = pq.ParquetFile(lab.target / lab.objects()[0]).metadata
    assert metadata.row_group(0).column(2).compression == "GZIP"


@pytest.mark.dms(8)
def test_a_clean_stop_publishes_everything_and_a_resume_begins_a_new_file(lab: Lab) -> None:
    lab.set_up(s3={**PROFILE, "CdcMaxBatchInterval": 3600})
    lab.sql(WIDE)
    lab.load()
    for number in (1, 2):
        lab.sql(f"INSERT INTO t VALUES ({number})")
        lab.cdc()
    assert [[row["id"] for row in lab.rows(key)] for key in lab.cdc_keys()] == [["1"], ["2"]]


@pytest.mark.dms(9)
@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_date_folders_in_all_sequences_and_delimiters(sequence: str, delimiter: str) -> None:
    moment = datetime(2021, 11, 23, 9, 30, tzinfo=UTC)
    mark = DELIMITERS[delimiter]
    expected = {
        "YYYYMMDD": mark.join(("2021", "11", "23")),
        "YYYYMMDDHH": mark.join(("2021", "11", "23", "09")),
        "YYYYMM": mark.join(("2021", "11")),
        "MMYYYYDD": mark.join(("11", "2021", "23")),
        "DDMMYYYY": mark.join(("23", "11", "2021")),
    }
    partition = DatePartition(sequence, mark)
    folder = date_folder(int(moment.timestamp()) * 1_000_000, partition, ZoneInfo("UTC"))
    assert folder == expected[sequence]


@pytest.mark.dms(9)
def test_cdc_files_lie_under_their_commit_date_and_load_files_at_the_root(lab: Lab) -> None:
    lab.set_up(s3={**PROFILE, "DatePartitionEnabled": True, "DatePartitionDelimiter": "DASH"})
    lab.sql(WIDE, "INSERT INTO t VALUES (1)")
    lab.load()
    before = datetime.now(UTC).date()
    lab.sql("INSERT INTO t VALUES (2)")
    after = datetime.now(UTC).date()
    lab.cdc()
    assert lab.objects("**/LOAD*") == ["public/t/LOAD00000001.csv"]
    folder = lab.cdc_keys()[0].split("/")[2]
    assert folder in {f"{before:%Y-%m-%d}", f"{after:%Y-%m-%d}"}


@pytest.mark.dms(9, 10)
def test_a_batch_over_midnight_is_split_by_commit_date_in_the_time_zone(lab: Lab) -> None:
    zone = "Australia/Sydney"
    lab.set_up(s3={**PROFILE, "DatePartitionEnabled": True, "DatePartitionTimezone": zone})
    lab.clock = steady(NOON)
    lab.sql(WIDE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)")
    midnight = datetime(2024, 3, 5, tzinfo=ZoneInfo(zone))
    with lab.feed() as feed:
        for shift, messages in zip((-1, 1), feed.transactions(), strict=True):
            feed.give(committed_at(messages, int(midnight.timestamp() + shift) * 1_000_000))
        feed.applier.publish_all()
    assert [[row["id"] for row in lab.rows(key)] for key in lab.cdc_keys()] == [["1"], ["2"]]
    assert [key.rpartition("/")[0] for key in lab.cdc_keys()] == [
        "public/t/2024/03/04",
        "public/t/2024/03/05",
    ]
    # Noon of the lab is 09:13:20 of the next day in Sydney.
    assert all(re.search(r"/20231115-0913\d{5}\.csv$", key) for key in lab.cdc_keys())


@pytest.mark.dms(9)
def test_a_full_date_folder_takes_the_table_s_other_folders_along(lab: Lab) -> None:
    """What is published of a table is published up to one point, or a crash would repeat rows."""
    lab.set_up(s3={**PROFILE, "DatePartitionEnabled": True, "CdcMinFileSize": 1})
    lab.sql(WIDE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)", KILOBYTE_ROWS.format(2, 2))
    with lab.feed() as feed:
        for day, messages in enumerate(feed.transactions()):
            feed.give(committed_at(messages, NOON + day * 86_400_000_000))
        assert [row["id"] for row in lab.changed()] == ["1", "2"]


@pytest.mark.dms(11)
def test_files_grow_outside_the_prefix_and_appear_whole(lab: Lab) -> None:
    lab.sql(WIDE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)")
    with lab.feed() as feed:
        feed.give(feed.messages())
        assert lab.objects() == []
        growing = list(lab.target.glob("_emulator/*/making/*"))
        assert len(growing) == 1
        feed.applier.publish_all()
    assert len(lab.cdc_keys()) == 1
    assert list(lab.target.glob("_emulator/*/making/*")) == []


@pytest.mark.dms(11)
def test_a_published_file_is_never_touched_again_and_readable_by_others(lab: Lab) -> None:
    lab.sql(WIDE, "INSERT INTO t VALUES (1)")
    lab.load()
    lab.sql("INSERT INTO t VALUES (2)")
    lab.cdc()
    before = {key: (lab.target / key).stat() for key in lab.objects()}
    lab.sql("UPDATE t SET v = 'new'")
    lab.cdc()
    for key, was in before.items():
        now = (lab.target / key).stat()
        assert (now.st_ino, now.st_size, now.st_mtime_ns) == (
            was.st_ino,
            was.st_size,
            was.st_mtime_ns,
        )
        assert now.st_mode & 0o777 == 0o644


@pytest.mark.dms(12)
def test_no_file_mixes_tables_or_columns(lab: Lab) -> None:
    lab.sql(WIDE, "CREATE TABLE u (id int PRIMARY KEY)")
    lab.load()
    lab.transaction(
        "INSERT INTO t VALUES (1)",
        "INSERT INTO u VALUES (1)",
        "ALTER TABLE t ADD w int",
        "INSERT INTO t VALUES (2)",
        "INSERT INTO u VALUES (2)",
    )
    lab.cdc()
    assert [list(lab.rows(key)[0])[2:-3] for key in lab.cdc_keys("t")] == [
        ["id", "v"],
        ["id", "v", "w"],
    ]
    assert [row["id"] for row in lab.changed("u")] == ["1", "2"]
    assert all(
        len(lab.rows(key)[0]) == len(lab.text(key).splitlines()[1].split(","))
        for key in lab.cdc_keys("t")
    )


@pytest.mark.dms(14)
@pytest.mark.parametrize("mode", ["DO_NOTHING", "DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD"])
def test_a_reload_counts_from_one_again(lab: Lab, mode: str) -> None:
    lab.set_up(
        s3={**PROFILE, "MaxFileSize": 1},
        task={"FullLoadSettings": {"TargetTablePrepMode": mode}},
    )
    lab.sql(WIDE, KILOBYTE_ROWS.format(1, 3))
    lab.load()
    lab.sql("INSERT INTO t VALUES (9)")
    lab.cdc()
    lab.sql("DELETE FROM t WHERE id <> 9")
    lab.load()
    assert [row["id"] for row in lab.rows("public/t/LOAD00000001.csv")] == ["9"]
    others = 3 if mode == "DO_NOTHING" else 0  # two more LOAD files and one of changes
    assert len(lab.objects()) == 1 + others


def committed_at(messages: list[tuple[bytes, int]], microsecond: int) -> list[tuple[bytes, int]]:
    """The transaction, with another commit time in its first message."""
    since_2000 = (microsecond - 946_684_800_000_000).to_bytes(8, "big", signed=True)
    (begin, lsn), *rest = messages
    return [(begin[:9] + since_2000 + begin[17:], lsn), *rest]
