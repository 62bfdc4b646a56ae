"""Names of the source, of rules and of settings as folders: nothing leaves the bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local_shim.dms.errors import TaskFailed
from local_shim.dms.publishing.state import Move, State, Store
from local_shim.dms.publishing.statistics import table_statistics
from local_shim.dms.s3.bucket import Bucket
from local_shim.dms.s3.object_keys import folder_name
from local_shim.dms.settings.document import Document
from local_shim.dms.settings.s3_target import read_s3_settings
from local_shim.errors import UsageError
from tests.local_shim.dms.lab import INCLUDE, PROFILE, Lab, transformation

EVERY_SCHEMA = {**INCLUDE, "object-locator": {"schema-name": "%", "table-name": "%"}}


def everything(folder: Path) -> dict[str, str]:
    """Every file outside the stand-in's own folder, with its text."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in files
        if "_emulator" not in path.parts
    }


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("claim", "claim"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("../x", "..%2Fx"),
        ("/etc", "%2Fetc"),
        ("100%", "100%"),
        ("a%2Fb", "a%252Fb"),
        ("_emulator", "%5F%65%6D%75%6C%61%74%6F%72"),
    ],
)
def test_a_name_is_one_folder(name: str, folder: str) -> None:
    assert folder_name(name) == folder


@pytest.mark.parametrize(
    ("schema", "table"),
    [
        ("public", "../../victim"),
        ("public", "../../../victim"),
        ("public", ".."),
        ("..", "victim"),
        ("..", ".."),
        ("/", "victim"),
        (".", "."),
    ],
)
def test_no_name_of_the_source_leads_out_of_the_bucket(lab: Lab, schema: str, table: str) -> None:
    place = lab.target.parent
    (place / "victim").mkdir()
    (place / "victim" / "keep.txt").write_text("keep")
    lab.set_up(rules=[EVERY_SCHEMA])
    lab.sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    lab.sql(f'CREATE TABLE "{schema}"."{table}" (id int PRIMARY KEY)')
    lab.sql(f'INSERT INTO "{schema}"."{table}" VALUES (1)')
    before = {key: text for key, text in everything(place).items() if not key.startswith("lake/")}
    lab.load()
    lab.load()  # DROP_AND_CREATE: this is where folders are deleted
    lab.sql(f'UPDATE "{schema}"."{table}" SET id = 2')
    lab.cdc()
    after = {key: text for key, text in everything(place).items() if not key.startswith("lake/")}
    assert after == before
    assert len(lab.objects()) == 2
    assert {key.count("/") for key in lab.objects()} == {2}


def test_rename_rules_cannot_lead_out_of_the_bucket(lab: Lab) -> None:
    lab.set_up(
        rules=[
            INCLUDE,
            transformation(5, "schema", "rename", value="../.."),
            transformation(6, "table", "add-prefix", value="/../"),
        ]
    )
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    lab.load()
    assert lab.objects() == ["..%2F../%2F..%2Ft/LOAD00000001.csv"]


def test_a_schema_called_like_the_work_folder_does_not_delete_the_state(lab: Lab) -> None:
    lab.set_up(rules=[EVERY_SCHEMA])
    lab.sql("CREATE SCHEMA _emulator", "CREATE TABLE _emulator.task (id int PRIMARY KEY)")
    lab.sql("INSERT INTO _emulator.task VALUES (1)")
    lab.load()
    lab.load()
    lab.sql("INSERT INTO _emulator.task VALUES (2)")
    lab.cdc()
    assert lab.statistics("_emulator.task")["Inserts"] == 1


def test_a_control_schema_is_one_folder(lab: Lab) -> None:
    control = {"ControlTablesSettings": {"ControlSchema": "../../control"}}
    lab.set_up(task=control, source={"UnboundedVarcharMaxSize": 3})
    lab.sql("CREATE TABLE t (id int PRIMARY KEY, v varchar)", "INSERT INTO t VALUES (1, 'x')")
    lab.load()
    lab.sql("UPDATE t SET v = 'too long'")
    lab.cdc()
    (key,) = lab.objects("**/awsdms_apply_exceptions/*")
    assert key.startswith("..%2F..%2Fcontrol/")


@pytest.mark.parametrize("setting", ["BucketFolder", "CdcPath"])
@pytest.mark.parametrize("path", ["..", "a/../..", "a/./b", "a//b", "_emulator", "_emulator/x"])
def test_folders_of_settings_stay_below_the_bucket(setting: str, path: str) -> None:
    with pytest.raises(UsageError, match=setting):
        read_s3_settings(Document({setting: path}, "s3-settings.json"))


def test_a_link_out_of_the_bucket_is_neither_written_nor_emptied(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "keep.txt").write_text("keep")
    lab.target.mkdir()
    (lab.target / "public").symlink_to(tmp_path)
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with pytest.raises(TaskFailed) as caught:
        lab.load()
    assert caught.value.condition == "DMS_TARGET_OUTSIDE"
    assert everything(tmp_path) == {"t/keep.txt": "keep"}


@pytest.mark.parametrize("name", ["public", "public/t"])
def test_a_file_in_the_place_of_a_folder_is_reported_and_kept(lab: Lab, name: str) -> None:
    (lab.target / name).parent.mkdir(parents=True)
    (lab.target / name).write_text("theirs")
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with pytest.raises(TaskFailed) as caught:
        lab.load()
    assert caught.value.condition == "DMS_TARGET_UNWRITABLE"
    assert (lab.target / name).read_text() == "theirs"


def test_a_name_that_is_too_long_for_a_folder_is_reported(lab: Lab) -> None:
    lab.set_up(rules=[INCLUDE, transformation(5, "table", "rename", value="x" * 300)])
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with pytest.raises(TaskFailed, match="File name too long"):
        lab.load()


def test_the_bucket_itself_may_be_a_link(lab: Lab, tmp_path: Path) -> None:
    lab.target.symlink_to(tmp_path)
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    lab.load()
    assert [row["id"] for row in lab.loaded()] == ["1"]


def tenants(lab: Lab, **s3: Any) -> None:
    """Three schemas, renamed into one, with rows of the same keys."""
    rename = transformation(5, "schema", "rename", value="all_tenants")
    lab.set_up(rules=[EVERY_SCHEMA, rename], s3={**PROFILE, **s3})
    for tenant in ("a", "b", "c"):
        lab.sql(f"CREATE SCHEMA {tenant}", f"CREATE TABLE {tenant}.policy (id int PRIMARY KEY)")
        lab.sql(f"INSERT INTO {tenant}.policy VALUES (1)")
    lab.sql("INSERT INTO b.policy VALUES (2)")


@pytest.mark.parametrize("settings", [{}, {"DatePartitionEnabled": True}])
def test_tables_renamed_into_one_folder_share_its_file_names(
    lab: Lab, settings: dict[str, Any]
) -> None:
    tenants(lab, **settings)
    lab.load()
    assert lab.objects() == [f"all_tenants/policy/LOAD0000000{n}.csv" for n in (1, 2, 3)]
    assert sorted(row["id"] for row in lab.loaded("policy")) == ["1", "1", "1", "2"]
    for _ in range(2):
        lab.sql(*(f"UPDATE {tenant}.policy SET id = id + 10" for tenant in "abc"))
        lab.cdc()
    rows = lab.changed("policy")
    counted = sum(lab.statistics(f"{tenant}.policy")["Updates"] for tenant in "abc")
    assert len(rows) == counted == 8


def test_a_reload_of_tables_in_one_folder_holds_all_of_them(lab: Lab) -> None:
    tenants(lab)
    lab.load()
    lab.load()
    assert len(lab.loaded("policy")) == 4


def test_schemas_and_tables_with_dots_are_distinguished(lab: Lab) -> None:
    lab.set_up(rules=[EVERY_SCHEMA])
    lab.sql('CREATE SCHEMA "a.b"', "CREATE SCHEMA a")
    lab.sql('CREATE TABLE "a.b".c (id int PRIMARY KEY)', 'INSERT INTO "a.b".c VALUES (1)')
    lab.sql('CREATE TABLE a."b.c" (v text, id int PRIMARY KEY)')
    lab.load()
    lab.sql('INSERT INTO "a.b".c VALUES (2)', "INSERT INTO a.\"b.c\" VALUES ('x', 1), ('y', 2)")
    lab.cdc()
    inserts = {name: table["counts"]["inserts"] for name, table in lab.state["tables"].items()}
    assert inserts == {'"a.b".c': 1, 'a."b.c"': 2}
    entries = table_statistics(Store(next(lab.target.glob("_emulator/*"))).load() or State(""))
    names = [(e["SchemaName"], e["TableName"]) for e in entries["TableStatistics"]]
    assert sorted(names) == [("a", "b.c"), ("a.b", "c")]
    assert [row["id"] for row in lab.rows(*lab.objects("a.b/c/2*"))] == ["2"]
    assert [row["v"] for row in lab.rows(*lab.objects("a/b.c/2*"))] == ["x", "y"]


def test_a_file_of_another_writer_is_not_replaced(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, "", "task")
    bucket.open()
    file = bucket.new_file()
    file.write_text("ours")
    (tmp_path / "theirs.csv").write_text("theirs")
    with pytest.raises(TaskFailed) as caught:
        bucket.deliver([Move(file.name, "theirs.csv")])
    assert caught.value.condition == "DMS_NAME_TAKEN"
    assert (tmp_path / "theirs.csv").read_text() == "theirs" and file.exists()


def test_a_reload_that_keeps_old_objects_says_which_it_replaces(lab: Lab) -> None:
    lab.set_up(task={"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}})
    lab.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    lab.load()
    assert not [text for text in lab.reports if "replaced" in text]
    lab.load()
    assert "public/t/LOAD00000001.csv of an earlier load is replaced, as with DMS" in lab.reports
