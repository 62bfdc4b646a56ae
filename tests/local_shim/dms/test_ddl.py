"""Tables that change their shape while they are replicated: items 12, 39 and 40."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from local_shim.errors import UsageError
from tests.local_shim.dms.lab import INCLUDE, PROFILE, Lab, transformation

TABLE = "CREATE TABLE t (id int PRIMARY KEY, a int, b text)"


def heads(lab: Lab) -> list[str]:
    return [lab.text(key).partition("\n")[0] for key in lab.cdc_keys()]


def shapes(lab: Lab) -> list[str]:
    """The source columns of each CDC file."""
    return [head.removeprefix("Op,ts,").removesuffix(",seq,pos,BI_id") for head in heads(lab)]


@pytest.mark.dms(39)
def test_a_new_column_comes_last_of_the_source_s_in_a_new_file(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1, 1, 'x')", "ALTER TABLE t ADD c int DEFAULT 7")
    lab.sql("INSERT INTO t VALUES (2, 2, 'y')", "UPDATE t SET a = 0 WHERE id = 1")
    lab.cdc()
    assert heads(lab) == ["Op,ts,id,a,b,seq,pos,BI_id", "Op,ts,id,a,b,c,seq,pos,BI_id"]
    first, second = [lab.rows(key) for key in lab.cdc_keys()]
    assert [row["id"] for row in first] == ["1"]
    assert [(row["id"], row["c"]) for row in second] == [("2", "7"), ("1", "7")]
    assert lab.statistics()["Ddls"] == 1


@pytest.mark.dms(39)
@pytest.mark.parametrize(
    ("ddl", "after"),
    [
        ("ALTER TABLE t DROP a", "id,b"),
        ("ALTER TABLE t RENAME a TO z", "id,z,b"),
        ("ALTER TABLE t ADD c int, DROP b", "id,a,c"),
    ],
)
def test_a_dropped_or_renamed_column_begins_a_new_file(lab: Lab, ddl: str, after: str) -> None:
    lab.sql(TABLE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1, 1, 'x')")
    lab.cdc()
    lab.sql("INSERT INTO t VALUES (2, 2, 'y')", ddl, "INSERT INTO t VALUES (3)")
    lab.cdc()
    assert shapes(lab) == ["id,a,b", "id,a,b", after]
    assert [row["id"] for row in lab.changed()] == ["1", "2", "3"]


@pytest.mark.dms(39)
def test_a_changed_type_changes_the_parquet_type_of_later_files(lab: Lab) -> None:
    lab.set_up(s3={**PROFILE, "DataFormat": "parquet"})
    lab.sql(TABLE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1, 1, 'x')", "ALTER TABLE t ALTER a TYPE numeric(9,2)")
    lab.sql("INSERT INTO t VALUES (2, 2.5, 'y')")
    lab.cdc()
    tables = [pq.read_table(lab.target / key) for key in lab.cdc_keys()]
    assert [str(table.schema.field("a").type) for table in tables] == ["int32", "decimal128(9, 2)"]


@pytest.mark.dms(39)
def test_ddl_while_the_task_is_stopped_is_seen_when_it_resumes(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1, 1, 'x')")
    lab.cdc()
    lab.sql("ALTER TABLE t ADD c int", "INSERT INTO t VALUES (2, 2, 'y', 3)")
    lab.cdc()
    lab.sql("INSERT INTO t VALUES (3, 3, 'z', 4)")
    lab.cdc()
    assert shapes(lab) == ["id,a,b", "id,a,b,c", "id,a,b,c"]
    assert lab.statistics()["Ddls"] == 1


@pytest.mark.dms(40)
def test_the_old_columns_stay_if_changes_of_tables_are_not_handled(lab: Lab) -> None:
    lab.set_up(task={"ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableAltered": False}})
    lab.sql(TABLE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1, 1, 'x')", "ALTER TABLE t DROP a, ADD c int")
    lab.sql("INSERT INTO t VALUES (2, 'y', 9)")
    lab.cdc()
    lab.sql("INSERT INTO t VALUES (3, 'z', 9)")  # also after a resume
    lab.cdc()
    assert set(shapes(lab)) == {"id,a,b"}
    rows = [(row["id"], row["a"], row["b"]) for row in lab.changed()]
    assert rows == [("1", "1", "x"), ("2", "\\N", "y"), ("3", "\\N", "z")]


@pytest.mark.dms(39)
def test_a_renamed_table_goes_on_under_its_new_name(lab: Lab) -> None:
    lab.sql(TABLE)
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)", "ALTER TABLE t RENAME TO u", "INSERT INTO u VALUES (2)")
    lab.cdc()
    assert [row["id"] for row in lab.changed("t")] == ["1"]
    assert [row["id"] for row in lab.changed("u")] == ["2"]


@pytest.mark.dms(12, 29)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_key_that_grows_begins_a_new_file(lab: Lab, form: str) -> None:
    lab.set_up(s3={**PROFILE, "DataFormat": form})
    lab.sql("CREATE TABLE t (id int, tenant int DEFAULT 1, CONSTRAINT pk PRIMARY KEY (id))")
    lab.sql("INSERT INTO t VALUES (1)")
    lab.load()
    lab.sql(
        "UPDATE t SET id = 2",
        "ALTER TABLE t DROP CONSTRAINT pk, ADD CONSTRAINT pk PRIMARY KEY (tenant, id)",
        "UPDATE t SET tenant = 5",
    )
    lab.cdc()
    if form == "csv":
        images = [head.partition("pos,")[2] for head in heads(lab)]
        assert images == ["BI_id", "BI_tenant,BI_id"]
        assert [(r.get("BI_tenant"), r["BI_id"]) for r in lab.changed()] == [
            (None, "1"),
            ("1", "2"),
        ]
    else:
        names = [pq.read_table(lab.target / key).column_names for key in lab.cdc_keys()]
        assert [columns[-2:] for columns in names] == [["pos", "BI_id"], ["BI_tenant", "BI_id"]]


@pytest.mark.dms(12)
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t REPLICA IDENTITY FULL",
        "ALTER TABLE t DROP CONSTRAINT pk, ADD CONSTRAINT pk PRIMARY KEY (tenant)",
        "ALTER TABLE t RENAME id TO key",
        "ALTER TABLE t ALTER tenant TYPE bigint",
        "ALTER TABLE t RENAME TO old; ALTER TABLE other RENAME TO t",
        "DROP TABLE t; ALTER TABLE other RENAME TO t",
    ],
)
def test_no_row_is_wider_than_its_file_whatever_has_changed(lab: Lab, change: str) -> None:
    lab.sql("CREATE TABLE t (id int, tenant int DEFAULT 1, CONSTRAINT pk PRIMARY KEY (id))")
    lab.sql("CREATE TABLE other (v text, id int, tenant int, PRIMARY KEY (id, tenant))")
    lab.load()
    lab.sql("INSERT INTO t VALUES (1)")
    lab.sql("INSERT INTO other VALUES ('x', 7, 7)")
    lab.transaction(change)
    lab.sql("UPDATE t SET tenant = 9")
    lab.cdc()
    for key in lab.cdc_keys():
        widths = {line.count(",") for line in lab.text(key).splitlines()}
        assert len(widths) == 1, lab.text(key)


def test_two_columns_renamed_to_one_name_are_refused(lab: Lab) -> None:
    both = transformation(5, "column", "rename", value="x", locator={"column-name": "%"})
    lab.set_up(rules=[INCLUDE, both])
    lab.sql(TABLE)
    with pytest.raises(UsageError) as caught:
        lab.load()
    assert caught.value.condition == "DMS_COLUMN_CLASH"
    assert "3 columns of public.t are renamed to x" in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ('id int PRIMARY KEY, "Op" text', "public.t: its files have 2 columns named Op"),
        ("id int PRIMARY KEY, ts text", "public.t: its files have 2 columns named ts"),
        ("id int PRIMARY KEY, seq text", "public.t: its files have 2 columns named seq"),
        ('id int PRIMARY KEY, "BI_id" int', "public.t: its files have 2 columns named BI_id"),
        ('id int PRIMARY KEY, "Id" int', "public.t: the columns Id and id differ in case only"),
        ("id int PRIMARY KEY, op text", "public.t: the columns Op and op differ in case only"),
    ],
)
def test_columns_whose_names_clash_are_reported(lab: Lab, columns: str, words: str) -> None:
    lab.sql(f"CREATE TABLE t ({columns})")
    lab.load()
    assert words in lab.reports


def test_a_table_dropped_while_its_changes_wait_is_still_written(lab: Lab) -> None:
    lab.sql(TABLE, "CREATE TABLE u (id int PRIMARY KEY)")
    lab.load()
    lab.sql("INSERT INTO t VALUES (1, 1, 'x')", "DROP TABLE t")
    lab.cdc()
    assert [row["BI_id"] for row in lab.changed()] == ["\\N"]
