"""An update with nothing to do ends before Spark starts; any change makes it start.

Spark runs in the tests' process, so that the updates here are told that it does not. An update
that ended without Spark is known by its journal, which waits for the next one that has Spark.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from local_shim import run as run_module
from local_shim.events.event import Event
from local_shim.graph.names import TableName
from local_shim.query.sql import answer
from local_shim.storage import Storage
from tests.pipeline_folder import Pipeline

SOURCE = """
import datetime
import dlt
import helper
from pyspark.sql import functions as F
from pyspark.sql.types import *

SINCE = datetime.date(2020, 1, 1)

@dlt.table
@dlt.expect("id", "id > 0")
def files():
    options = {"cloudFiles.format": "json", "cloudFiles.schemaHints": "id INT", "unknown": "x"}
    return (
        spark.readStream.format("cloudFiles").options(**options)
        .load(spark.conf.get("shop.landing"))
        .withColumn("read_at", F.current_timestamp())
    )

dlt.create_streaming_table("newest")
dlt.create_auto_cdc_flow("newest", "files", ["id"], "id", except_column_list=["read_at"])

@dlt.view
def some_ids():
    return dlt.read("newest").select("id")

@dlt.table
def number():
    return helper.number(dlt.read("some_ids"))

@dlt.table
def of_other():
    return spark.read.table("other").select(F.first("id").alias("id"))

dlt.create_streaming_table("started")

@dlt.append_flow(target="started", once=True)
def first_row():
    return spark.range(1)
"""
HELPER = """
from dataclasses import dataclass
from pyspark.sql import functions as F

@dataclass
class Limits:
    head: int = 1

def number(rows):
    return rows.agg(F.count("*").alias("number")).limit(Limits().head)
"""


@pytest.fixture
def shop(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline that has run once; its next update has nothing to do."""
    _start(pipeline, monkeypatch)
    return pipeline


def _start(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "running_session", lambda: None)
    landing = pipeline.folder / "landing"
    landing.mkdir()
    (landing / "one.json").write_text('{"id": 1}')
    pipeline.conf = {"shop.landing": str(landing), "shop.key": "misspelt"}
    pipeline.spark.range(3).write.format("delta").save(str(pipeline.path("other")))
    pipeline.write(SOURCE)
    pipeline.write(HELPER, "helper.py")
    assert pipeline.update() == 0


def _ended_without_spark(pipeline: Pipeline, **selection: Any) -> bool:
    assert pipeline.update(**selection) == 0
    update_id = pipeline.events[0].origin["update_id"]
    return _storage(pipeline).journal(update_id).exists()


def _storage(pipeline: Pipeline) -> Storage:
    return Storage(pipeline.folder / "storage", "test")


def test_its_events_are_those_of_an_update_with_spark(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _ended_without_spark(shop)
    without_spark = list(_texts(shop))
    monkeypatch.undo()
    assert not _ended_without_spark(shop)
    with_spark = list(_texts(shop))
    assert sorted(without_spark, key=repr) == sorted(with_spark, key=repr)
    assert "ignores the option 'unknown'" in repr(without_spark)
    assert "no file reads the configuration key 'shop.key'" in repr(without_spark)


_OF_SPARK = ("runner", "input_bytes", "tuning")


def _texts(pipeline: Pipeline) -> Iterator[tuple[Any, ...]]:
    """The events without what differs between any two updates, and without listings."""
    for event in pipeline.events:
        if event.event_type != "operation_progress":
            details = {k: v for k, v in event.details.items() if k not in _OF_SPARK}
            origin = {**event.origin, "update_id": ""}
            message = event.message.replace(event.origin["update_id"][:8], "")
            yield event.event_type, message, event.level, origin, details


def _edit_source(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    shop.write(SOURCE.replace("2020", "2021"))


def _edit_module(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    shop.write(HELPER.replace("count", "max"), "helper.py")


def _add_module(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    (shop.folder / "source" / "datetime.txt").write_text("could be a module")


def _edit_during_the_update(shop: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is saved while its update runs is not what the update ran."""
    _edit_source(shop, monkeypatch)
    request = shop.request()
    last = "is COMPLETED"

    def edit(event: Event) -> None:
        if event.event_type == "flow_progress" and last in event.message:
            shop.write(SOURCE.replace("2020", "2022"))

    assert run_module.run(replace(request, listeners=(edit,))).exit_code == 0


def _change_key(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    shop.conf["shop.key"] = "other"


def _change_parameter(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    shop.parameters["day"] = "1"


def _change_path(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    shop.paths["/Volumes/"] = str(shop.folder)


def _add_file(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    (shop.folder / "landing" / "two.json").write_text('{"id": 2}')


def _append_to_input(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    shop.spark.range(1).write.format("delta").mode("append").save(str(shop.path("other")))


def _delete_rows(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    shop.spark.sql(f"DELETE FROM delta.`{shop.path('number')}`")


def _delete_table(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    shutil.rmtree(shop.path("number"))


def _begin_full_refresh(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    _storage(shop).begin_reset(TableName("main", "default", "number"))


def _forget_once_flow(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    _storage(shop).forget_flow(TableName("main", "default", "started"), "main.default.first_row")


def _forget_view(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    record = _storage(shop).record(TableName("main", "default", "number"))
    assert record is not None
    _storage(shop).remember(replace(record, fingerprint=""))


def _let_a_day_pass(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    _storage(shop).note_maintenance(datetime.now(UTC) - timedelta(hours=25))


def _delete_journals(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    shutil.rmtree(_storage(shop).journals())


def _leave_many_journals(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    for _each in range(9):  # and one before
        assert _ended_without_spark(shop)


def _move_to_another_time_zone(_: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.tzname", ("XYZ", "XYZ"))


def _store_a_newer_format(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    _storage(shop).dependencies().write_text('{"version": 99}')


def _begin_a_batch(shop: Pipeline, _: pytest.MonkeyPatch) -> None:
    checkpoint = _storage(shop).checkpoint(
        TableName("main", "default", "files"), "main.default.files"
    )
    os.remove(checkpoint / "commits" / "0")
    crc = checkpoint / "commits" / ".0.crc"
    crc.unlink(missing_ok=True)


CHANGES = [
    _edit_source,
    _edit_module,
    _add_module,
    _edit_during_the_update,
    _change_key,
    _change_parameter,
    _change_path,
    _add_file,
    _append_to_input,
    _delete_rows,
    _delete_table,
    _begin_full_refresh,
    _forget_once_flow,
    _forget_view,
    _let_a_day_pass,
    _delete_journals,
    _leave_many_journals,
    _move_to_another_time_zone,
    _store_a_newer_format,
    _begin_a_batch,
]


@pytest.fixture(scope="module")
def finished_shop(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    """The folder of a shop that has run once, which each test gets in the same place."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        shop = Pipeline(tmp_path_factory.mktemp("no_op") / "shop", spark)
        shop.folder.mkdir()
        _start(shop, monkeypatch)
        shutil.copytree(shop.folder, shop.folder.parent / "copy")
        yield shop


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_spark_starts_after_a_change(
    finished_shop: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Pipeline, pytest.MonkeyPatch], None],
) -> None:
    monkeypatch.setattr(run_module, "running_session", lambda: None)
    folder = finished_shop.folder
    shutil.rmtree(folder)
    shutil.copytree(folder.parent / "copy", folder)  # with the times of its files
    shop = Pipeline(folder, finished_shop.spark, dict(finished_shop.conf))
    assert _ended_without_spark(shop)
    change(shop, monkeypatch)
    assert not _ended_without_spark(shop)


@pytest.mark.parametrize(
    "selection", [{"refresh": ("number",)}, {"full_refresh": ("number",)}], ids=repr
)
def test_spark_starts_for_a_selection_and_for_the_update_after_it(
    shop: Pipeline, selection: dict[str, tuple[str, ...]]
) -> None:
    assert not _ended_without_spark(shop, **selection)
    assert not _ended_without_spark(shop)
    assert _ended_without_spark(shop)


def test_the_update_after_one_that_failed_starts_spark(shop: Pipeline) -> None:
    shop.write(HELPER.replace('count("*")', 'max(F.raise_error(F.lit("no")))'), "helper.py")
    assert shop.update() == 1
    shop.write(HELPER, "helper.py")
    assert not _ended_without_spark(shop)


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "from random import random",
        "import pandas",
        "from pyspark import pandas",
        "import datetime\nTODAY = datetime.date.today()",
        "from datetime import datetime\nNOW = datetime.now()",
        "RULES = open(__file__)",
        "TABLES = spark.catalog",
        "DAY = spark.sql('SELECT current_date()').first()",
        "NUMBER = spark.read.table('other').count()",
        "FILES = dbutils.fs",
        "@dlt.on_event_hook\ndef hook(event): pass",
        "@dlt.table\ndef clock(): return spark.sql('SELECT current_timestamp() AS now')",
        "@dlt.table\ndef files(): return spark.read.text(__file__)",
        "dlt.create_streaming_table('rows')\n"
        "@dlt.append_flow(target='rows', once=True)\ndef row(): return spark.range(1)\n"
        "dlt.create_sink('nowhere', 'noop', {})\n"
        "@dlt.append_flow(target='nowhere')\n"
        "def to_sink(): return spark.readStream.table('rows')",
    ],
)
def test_spark_starts_for_code_that_may_declare_something_else(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(run_module, "running_session", lambda: None)
    pipeline.spark.range(3).write.format("delta").save(str(pipeline.path("other")))
    view = "import dlt\n@dlt.table\ndef one():\n    return spark.range(1)\n"
    pipeline.write(f"{view}{code}\n")
    assert pipeline.update() == 0
    assert not _ended_without_spark(pipeline)


def test_sql_and_widgets_need_no_spark(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "running_session", lambda: None)
    pipeline.write("CREATE MATERIALIZED VIEW one AS SELECT 1 AS id", "one.sql")
    pipeline.write(
        "import dlt\nday = dbutils.widgets.get('day')\n"
        "@dlt.table\ndef two(): return spark.sql(f'SELECT {day} AS day')"
    )
    pipeline.parameters = {"day": "1"}
    assert pipeline.update() == 0
    assert _ended_without_spark(pipeline)


def test_spark_starts_after_a_secret_has_changed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "running_session", lambda: None)
    monkeypatch.setenv("DLT_LOCAL_SECRET_SHOP_SALT", "one")
    pipeline.write("CREATE MATERIALIZED VIEW v AS SELECT length(secret('shop', 'salt')) n", "v.sql")
    pipeline.write("import dlt\n@dlt.table\ndef w(): return spark.read.table('v')")
    assert pipeline.update() == 0, pipeline.errors()
    assert _ended_without_spark(pipeline)
    monkeypatch.setenv("DLT_LOCAL_SECRET_SHOP_SALT", "three")
    assert not _ended_without_spark(pipeline)
    assert pipeline.rows("w") == [(5,)]


@pytest.mark.parametrize(
    "read",
    [
        "format('delta').load(spark.conf.get('numbers'))",
        "load('file:' + spark.conf.get('numbers'), format='DELTA')",
        "format('delta').option('path', 'file://' + spark.conf.get('numbers')).load()",
        "table('delta.`file:' + spark.conf.get('numbers') + '`')",
    ],
)
def test_a_stream_of_a_folder_is_asked_for_its_version(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    monkeypatch.setattr(run_module, "running_session", lambda: None)
    numbers = pipeline.conf["numbers"] = str(pipeline.folder / "numbers")
    pipeline.spark.range(2).write.format("delta").save(numbers)
    pipeline.write(f"import dlt\n@dlt.table\ndef copy(): return spark.readStream.{read}")
    assert pipeline.update() == 0, pipeline.errors()
    assert _ended_without_spark(pipeline)
    pipeline.spark.range(2, 3).write.format("delta").mode("append").save(numbers)
    assert not _ended_without_spark(pipeline)
    assert pipeline.rows("copy") == [(0,), (1,), (2,)]


def test_the_event_log_gets_its_events_before_somebody_reads_it(shop: Pipeline) -> None:
    assert _ended_without_spark(shop)
    assert _ended_without_spark(shop)
    updates = "SELECT count(DISTINCT origin.update_id) AS n FROM event_log"
    assert "3" in answer(_storage(shop), updates, "csv")
    _add_file(shop, pytest.MonkeyPatch())
    assert not _ended_without_spark(shop)
    assert "4" in answer(_storage(shop), updates, "csv")
