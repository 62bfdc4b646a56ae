"""`dlt-local events`: the events of past updates, out of their journals."""

from __future__ import annotations

import json
import re

import pytest

from tests.local_shim.cli.command import Result, assert_golden
from tests.local_shim.cli.conftest import Shop


def events(shop: Shop, *arguments: str) -> Result:
    return shop.command("events", "--storage", "storage", *arguments)


def records(shop: Shop, *arguments: str) -> list[dict[str, object]]:
    result = events(shop, "--json", *arguments)
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.lines]


def test_events_for_people(shop: Shop) -> None:
    result = events(shop, "--type", "update_progress")
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    text = re.sub(stamp, "2026-01-01T00:00:00.000000Z", result.out)
    assert_golden("events.txt", re.sub(r"Update \w+", "Update 0a1b2c3d", text))


def test_json_has_what_the_event_log_has(shop: Shop) -> None:
    every = records(shop)
    (number,) = (
        json.loads(line)["n"]
        for line in shop.sql("SELECT count(*) AS n FROM event_log", "--format", "json").lines
    )
    assert len(every) == number
    first = every[0]
    assert first["event_type"] == "create_update" and isinstance(first["details"], dict)


def test_filters(shop: Shop) -> None:
    types = {record["event_type"] for record in records(shop, "--type", "flow_progress")}
    assert types == {"flow_progress"}
    levels = {record["level"] for record in records(shop, "--level", "metrics")}
    assert levels <= {"METRICS"}
    assert records(shop, "--level", "ERROR", "--type", "flow_progress") == []


def test_an_update_by_its_id_or_its_beginning(new_shop: Shop) -> None:
    for _ in range(2):
        assert new_shop.command("run", *new_shop.where()).code == 0
    ids = [
        json.loads(line)["id"]
        for line in new_shop.sql(
            "SELECT origin.update_id AS id FROM event_log WHERE event_type = 'create_update' "
            "ORDER BY timestamp",
            "--format",
            "json",
        ).lines
    ]
    newest = records(new_shop)[0]["origin"]
    assert isinstance(newest, dict) and newest["update_id"] == ids[1]
    for name in (ids[0], ids[0][:8]):
        origin = records(new_shop, "--update", name)[0]["origin"]
        assert isinstance(origin, dict) and origin["update_id"] == ids[0]
    result = events(new_shop, "--update", "nothing")
    assert result.code == 2 and result.err.startswith("[NO_EVENTS]")


def test_two_pipelines_in_one_storage(new_shop: Shop) -> None:
    """Without a name: the newest update of any of them."""
    for name in ("one", "two"):
        text = f"import dlt\n\n@dlt.table\ndef {name}():\n    return spark.range(1)\n"
        (new_shop.folder / f"{name}.py").write_text(text)
        spec = f"name: {name}\nlibraries:\n  - glob:\n      include: {name}.py\n"
        (new_shop.folder / f"{name}.yml").write_text(spec)
        run = ("run", "--spec", f"{name}.yml", "--storage", "storage")
        assert new_shop.command(*run).code == 0
    assert pipeline_of(records(new_shop)) == "two"
    assert pipeline_of(records(new_shop, "--pipeline", "one")) == "one"
    assert len(new_shop.sql("SHOW TABLES", "--format", "csv").lines) == 3


def pipeline_of(events: list[dict[str, object]]) -> object:
    origin = events[0]["origin"]
    assert isinstance(origin, dict)
    return origin["pipeline_id"]


@pytest.mark.parametrize(
    ("option", "word", "hint"),
    [
        ("--level", "warning", "did you mean 'WARN'?"),
        ("--level", "loud", "allowed: ERROR, INFO, METRICS, WARN"),
        ("--type", "flow_progres", "did you mean 'flow_progress'?"),
    ],
)
def test_an_unknown_choice_is_refused(shop: Shop, option: str, word: str, hint: str) -> None:
    result = events(shop, option, word)
    assert result.code == 2 and result.err.startswith("[CHOICE_UNKNOWN]") and hint in result.err
