"""`dlt-local run`, `plan` and `explain`: what they select, print and leave behind."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.local_shim.cli.command import Result, assert_golden
from tests.local_shim.cli.conftest import Shop

COLUMNS = {
    "id",
    "sequence",
    "origin",
    "timestamp",
    "message",
    "level",
    "maturity_level",
    "error",
    "details",
    "event_type",
    "truncation",
}


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d s", "0.0 s", text)


def events(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.lines]


def states(records: list[dict[str, Any]]) -> list[str]:
    """The states that the update went through."""
    progress = [each for each in records if each["event_type"] == "update_progress"]
    return [each["details"]["update_progress"]["state"] for each in progress]


def statuses(result: Result) -> dict[str, str]:
    """The last status of each flow, by its short name."""
    progress = [each for each in events(result) if each["event_type"] == "flow_progress"]
    return {
        each["origin"]["flow_name"].split(".")[-1]: each["details"]["flow_progress"]["status"]
        for each in progress
    }


def test_run_writes_a_report_after_a_failure_too(new_shop: Shop, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "import dlt\n\n@dlt.table\ndef a():\n    return spark.sql(\"SELECT int('x') AS n\")\n"
    )
    file = tmp_path / "report.html"
    storage = tmp_path / "failed"
    result = new_shop.command("run", str(wrong), "--storage", str(storage), "--report", str(file))
    assert result.code == 1
    assert "CAST_INVALID_INPUT" in file.read_text(encoding="utf-8")


def test_run_shows_its_progress(new_shop: Shop) -> None:
    result = new_shop.command("run", *new_shop.where())
    assert (result.code, result.err) == (0, "")
    lines = without_times(result.out).splitlines()
    assert_golden("progress.txt", "\n".join([*sorted(lines[:-1]), lines[-1], ""]))


def test_json_has_the_event_log_s_columns(new_shop: Shop) -> None:
    result = new_shop.command("run", *new_shop.where(), "--json")
    records = events(result)
    assert result.code == 0 and result.err == ""
    assert all(set(record) == COLUMNS for record in records)
    assert len({record["id"] for record in records}) == len(records)
    numbers = [record["sequence"]["data_plane_id"]["seq_no"] for record in records]
    assert numbers == sorted(set(numbers))
    assert records[0]["event_type"] == "create_update"
    for record in records:
        assert list(record["details"]) == [record["event_type"]]
        assert record["level"] in ("INFO", "WARN", "ERROR", "METRICS")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record["timestamp"])
        assert record["origin"]["update_id"] == records[0]["origin"]["update_id"]
    assert states(records)[-1] == "COMPLETED"
    assert set(statuses(result)) == {"orders", "daily", "totals", "customers"}
    quality = [
        record["details"]["flow_progress"]["data_quality"]
        for record in records
        if record["details"].get("flow_progress", {}).get("data_quality")
    ]
    assert sum(each["dropped_records"] for each in quality) == 1


def test_a_selection_runs_nothing_else(new_shop: Shop) -> None:
    assert new_shop.command("run", *new_shop.where(), "--refresh", "orders").code == 0
    again = ("run", *new_shop.where(), "--json")
    result = new_shop.command(*again, "--refresh", "totals, daily", "--refresh", "customers")
    assert statuses(result) == {
        "orders": "EXCLUDED",
        "daily": "COMPLETED",
        "totals": "COMPLETED",
        "customers": "COMPLETED",
    }
    new_shop.order("second.json", (5, "ann", "1.00", "2026-01-04T08:00:00Z", None, None))
    result = new_shop.command(*again, "--full-refresh", "orders")
    assert statuses(result)["orders"] == "COMPLETED" and statuses(result)["totals"] == "EXCLUDED"
    assert new_shop.sql("SELECT count(*) AS n FROM orders").lines[2] == "4"
    result = new_shop.command(*again, "--full-refresh-all")
    assert set(statuses(result).values()) == {"COMPLETED"}
    result = new_shop.command(*again, "--reset-checkpoint", "main.default.orders")
    assert result.code == 0
    assert new_shop.sql("SELECT count(*) AS n FROM orders").lines[2] == "8"


def test_an_unknown_selection_is_refused(new_shop: Shop) -> None:
    result = new_shop.command("run", *new_shop.where(), "--refresh", "total")
    assert result.code == 2 and "did you mean 'totals'?" in result.err
    result = new_shop.command("run", *new_shop.where(), "--reset-checkpoint", "main.default.order")
    assert result.code == 2 and "did you mean 'main.default.orders'?" in result.err
    result = new_shop.command(
        "run", *new_shop.where(), "--replace-where", "main.default.orders=id > 1"
    )
    assert result.code == 2 and "is no REPLACE WHERE flow" in result.err
    assert not new_shop.storage.exists()


def test_a_continuous_update_ends_after_its_time(new_shop: Shop) -> None:
    result = new_shop.command("run", *new_shop.where(), "--continuous", "--for", "0.5", "--json")
    assert result.code == 0
    assert states(events(result))[-2:] == ["STOPPING", "CANCELED"]


def test_a_flow_that_fails_ends_with_1_and_its_cause_in_a_line(new_shop: Shop) -> None:
    source = new_shop.folder / "shop.py"
    wrong = source.read_text().replace('F.sum("amount")', 'F.sum(F.col("amount") / 0)')
    source.write_text(wrong)
    result = new_shop.command("run", *new_shop.where())
    assert result.code == 1
    assert_golden("run_failed.txt", result.err.replace(str(new_shop.folder), "FOLDER"))
    result = new_shop.command("run", *new_shop.where(), "--json")
    errors = [each for each in events(result) if each["level"] == "ERROR"]
    assert "DIVIDE_BY_ZERO" in errors[0]["error"]["exceptions"][0]["message"]
    assert statuses(result)["totals"] == "FAILED"


def test_a_view_whose_first_update_failed_is_made_by_the_next(new_shop: Shop) -> None:
    source = new_shop.folder / "shop.py"
    right = source.read_text()
    source.write_text(right.replace('F.sum("amount")', 'F.sum(F.col("amount") / 0)'))
    assert new_shop.command("run", *new_shop.where()).code == 1
    source.write_text(right)
    assert new_shop.command("run", *new_shop.where()).code == 0
    assert new_shop.sql("SELECT count(*) AS n FROM totals").lines[2] == "2"


def test_wrong_definitions_end_with_2_and_write_nothing(new_shop: Shop) -> None:
    source = new_shop.folder / "shop.py"
    source.write_text(source.read_text().replace('dlt.read("orders")', 'dlt.read("ordres")'))
    for command in ("run", "plan"):
        result = new_shop.command(command, *new_shop.where())
        assert result.code == 2
    assert_golden("wrong_definitions.txt", result.err.replace(str(new_shop.folder), "FOLDER"))
    assert not new_shop.storage.exists()


def test_paths_are_mapped(new_shop: Shop) -> None:
    mapping = f"/Volumes/shop/={new_shop.folder}"
    landing = "shop.landing=/Volumes/shop/landing"
    result = new_shop.command("run", "shop.py", "--path", mapping, "--conf", landing)
    assert result.code == 0, result.err
    (storage,) = (new_shop.folder / ".dlt-local").iterdir()  # the default storage
    assert (storage / "tables" / "main" / "default" / "orders").is_dir()


def test_globs_catalog_and_schema(new_shop: Shop) -> None:
    (new_shop.folder / "more").mkdir()
    (new_shop.folder / "shop.py").rename(new_shop.folder / "more" / "shop.py")
    place = ("--catalog", "lake", "--schema", "raw")
    result = new_shop.command("run", "more/**", *new_shop.where()[1:], *place)
    assert result.code == 0, result.err
    assert (new_shop.storage / "tables" / "lake" / "raw" / "orders").is_dir()


def test_a_spark_pipeline_spec(new_shop: Shop) -> None:
    (new_shop.folder / "spark-pipeline.yml").write_text(
        "name: shop\nlibraries:\n  - glob:\n      include: shop.py\n"
    )
    where = new_shop.where()[1:]
    assert new_shop.command("run", "--spec", "spark-pipeline.yml", *where).code == 0
    assert new_shop.sql("SELECT count(*) AS n FROM orders").lines[2] == "3"


def test_a_bundle(new_shop: Shop) -> None:
    (new_shop.folder / "databricks.yml").write_text(
        """
bundle: {name: shop}
variables:
  landing: {description: where files arrive}
  schema: {default: none}
resources:
  pipelines:
    shop:
      name: shop
      catalog: main
      schema: ${var.schema}
      libraries: [{file: {path: ./shop.py}}]
      configuration: {shop.landing: "${var.landing}"}
    other:
      name: other
      libraries: [{file: {path: ./other.py}}]
targets:
  dev: {variables: {schema: dev}}
  prod: {variables: {schema: prod}}
"""
    )
    (new_shop.folder / "other.py").touch()
    landing = f"landing={new_shop.folder / 'landing'}"
    options = ("--bundle", ".", "--target", "prod", "--pipeline", "shop", "--var", landing)
    assert new_shop.command("run", *options).code == 0
    default = new_shop.folder / ".dlt-local" / "shop"
    assert (default / "tables" / "main" / "prod" / "orders").is_dir()
    result = new_shop.command("plan", "--target", "prod", "--var", landing)
    assert result.code == 2 and "shop" in result.err and "other" in result.err


def test_plan_shows_each_dataset_once_and_writes_nothing(new_shop: Shop) -> None:
    result = new_shop.command("plan", *new_shop.where())
    assert result.code == 0, result.err
    assert_golden("plan.txt", result.out)
    assert not new_shop.storage.exists()


def test_plan_shows_what_would_be_reset_and_what_is_left_out(new_shop: Shop) -> None:
    result = new_shop.command("plan", *new_shop.where(), "--full-refresh", "orders,customers")
    assert_golden("plan_full_refresh.txt", result.out)
    result = new_shop.command(
        "plan", *new_shop.where(), "--reset-checkpoint", "main.default.orders"
    )
    assert_golden("plan_reset_checkpoint.txt", result.out)


def test_plan_names_a_configuration_key_that_no_file_reads(new_shop: Shop) -> None:
    result = new_shop.command("plan", *new_shop.where(), "--conf", "shop.landign=x")
    assert "warning: no file reads the configuration key 'shop.landign'" in result.out
    assert "did you mean 'shop.landing'?" in " ".join(result.out.split())


LAYERS = """
    import dlt


    @dlt.table(name="raw.policy")
    def raw():
        return spark.range(3)


    @dlt.table(name="clean.policy")
    def clean():
        return spark.read.table("raw.policy")


    @dlt.table
    def report():
        return spark.read.table("clean.policy").join(spark.read.table("raw.policy"), "id")
"""


def test_plan_says_the_schema_where_two_tables_have_one_name(new_shop: Shop) -> None:
    (new_shop.folder / "layers.py").write_text(textwrap.dedent(LAYERS))
    result = new_shop.command("plan", "layers.py", "--storage", "storage")
    assert_golden("plan_layers.txt", result.out)


def test_explain_of_a_key(shop: Shop) -> None:
    result = shop.command("explain", "customers", *shop.where(), "--key", "customer=ann")
    assert result.code == 0, result.err
    assert_golden("explain_key.txt", result.out)


def test_explain_lists_ties(new_shop: Shop) -> None:
    tied: tuple[Any, ...] = (6, "ann", "1.00", "2026-02-01T08:00:00Z", [])
    new_shop.order("ties.json", (*tied, ("Wien", None)), (*tied, ("Graz", None)))
    assert new_shop.command("run", *new_shop.where()).code == 0
    result = new_shop.command("explain", "customers", *new_shop.where())
    assert_golden("explain_ties.txt", result.out)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["orders"], "allowed: customers"),
        (["custmers"], "did you mean 'customers'?"),
        (["customers", "--key", "custmer=ann"], "did you mean 'customer'?"),
    ],
)
def test_explain_of_what_is_no_target_or_key(shop: Shop, arguments: list[str], hint: str) -> None:
    table, *key = arguments
    result = shop.command("explain", table, *shop.where(), *key)
    assert result.code == 2 and hint in result.err
