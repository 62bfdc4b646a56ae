"""The document of an update, and the texts made of it."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local_shim.cli.app import main
from local_shim.events.journal_file import read_journal
from local_shim.report.document import document
from local_shim.report.markdown import markdown
from local_shim.report.progress import Progress
from tests.local_shim.cli.command import assert_golden
from tests.local_shim.report.shop_update import SCRIPT, write_update


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    write_update(tmp_path, "a1", 5)
    write_update(tmp_path, "b2", 10, fails=True)
    return tmp_path


def output(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(each) for each in arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture
def failed(storage: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    text = output(capsys, "report", "--storage", storage, "--update", "b2", "--format", "json")
    doc: dict[str, Any] = json.loads(text)
    return doc


def test_a_skipped_flow_names_the_failed_one(failed: dict[str, Any]) -> None:
    because = {flow["name"]: flow["skipped_because"] for flow in failed["flows"]}
    assert because == {
        "bronze_orders": [],
        "silver_orders": [],
        "gold_day": ["silver_orders"],
        "gold_customer": ["silver_orders"],
    }


def test_a_failed_flow_has_its_cause_and_source(failed: dict[str, Any]) -> None:
    flow = failed["flows"][1]
    assert flow["error"]["message"].startswith("'12x' is no INT")
    assert flow["source"] == {"file": "shop.py", "line": 7}


def test_earlier_updates_are_in_the_history(failed: dict[str, Any]) -> None:
    (past,) = failed["history"]
    assert (past["update"], past["rows"], past["flows"]["gold_day"]) == ("a1", 20, 5)
    assert past["failed_checks"]["gold_day/known"] == 1


def test_what_no_flow_writes_is_outside(failed: dict[str, Any]) -> None:
    assert failed["outside"] == [
        {"name": "raw.orders", "kind": "TABLE"},
        {"name": "/landing/orders", "kind": "PATH"},
    ]
    assert failed["flows"][0]["reads"] == ["raw.orders", "/landing/orders"]


def test_a_flow_says_why_it_was_computed(storage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "report", "--storage", storage, "--update", "a1", "--format", "json")
    reasons = {flow["name"]: flow["why"] for flow in json.loads(text)["flows"]}
    assert reasons["gold_day"] == "changed since it was computed"
    assert reasons["gold_customer"] == ""


def test_events_of_unknown_types_change_nothing(storage: Path) -> None:
    """An older program shows the journal of a newer one."""
    records = read_journal(storage / "system/journal/shop/b2.jsonl")
    unknown: dict[str, Any] = {
        "event_type": "maintenance",
        "details": None,
        "origin": {},
        "message": "new",
    }
    mixed = [each for record in records for each in (unknown, record)]
    assert document(mixed) == document(records)


def test_every_beginning_of_a_journal_has_a_document(storage: Path) -> None:
    records = read_journal(storage / "system/journal/shop/b2.jsonl")
    states = [document(records[:length])["update"]["state"] for length in range(len(records) + 1)]
    assert (states[0], states[-2], states[-1]) == ("", "RUNNING", "FAILED")
    assert "started never.\n\nNo flow has started." in markdown(document([]))


def test_a_line_that_is_being_written_is_left_out(storage: Path) -> None:
    file = storage / "system/journal/shop/a1.jsonl"
    complete = read_journal(file)
    file.write_text(file.read_text() + '{"id": "half')
    assert read_journal(file) == complete


def test_timestamps_of_an_update_strictly_increase(storage: Path) -> None:
    times = [each["timestamp"] for each in read_journal(storage / "system/journal/shop/a1.jsonl")]
    assert times == sorted(set(times))


def test_document_and_terminal_agree(tmp_path: Path) -> None:
    text = StringIO()
    progress = Progress(Console(file=text, width=200))
    write_update(tmp_path, "c3", 4321, fails=True, listeners=[progress])
    doc = document(read_journal(tmp_path / "system/journal/shop/c3.jsonl"))
    *lines, summary = text.getvalue().splitlines()
    states = [f"{flow['status'].lower()} {flow['name']}" for flow in doc["flows"]]
    assert [" ".join(line.split()[:2]) for line in lines] == states
    assert f"{doc['flows'][0]['rows']:,} rows  1 broken rule" in lines[0]
    assert summary.endswith("1 completed, 1 failed, 2 skipped.")


def test_markdown_names_every_failure(storage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "report", "--storage", storage, "--update", "b2", "--format", "md")
    assert "`silver_orders` (2 flows skipped because of it): '12x' is no INT" in text
    assert "\n1 flow completed, 1 flow failed, 2 flows skipped.\n" in text
    assert re.search(r"started \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, took \d+\.\d s\.", text)


def test_markdown_names_every_failure_of_very_many(failed: dict[str, Any]) -> None:
    flow = {**failed["flows"][1], "error": {"message": "x" * 5_000}}
    flows = [{**flow, "name": f"main.shop.silver_{number}"} for number in range(500)]
    text = markdown({**failed, "flows": flows})
    assert [each["name"] for each in flows if f"`{each['name']}`:" not in text] == []
    assert len(text.encode()) < 60_000


def test_html_does_not_end_the_script_early(
    storage: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "new" / "report.html"
    output(capsys, "report", "--storage", storage, "--update", "b2", "--out", file)
    assert SCRIPT not in file.read_text(encoding="utf-8")
    assert file.read_text(encoding="utf-8").count("</script>") == 2


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("mermaid", "  n0 --> n2"),
        ("dot", '  "raw.orders" -> "bronze_orders";'),
        ("json", '      "from": "raw.orders",'),
    ],
)
def test_the_graph_in_each_format(
    storage: Path, capsys: pytest.CaptureFixture[str], form: str, line: str
) -> None:
    assert line in output(capsys, "graph", "--storage", storage, "--format", form).splitlines()


def test_the_document_of_a_failed_update(failed: dict[str, Any]) -> None:
    text = json.dumps(failed, indent=2)
    text = re.sub(r'("(?:started|ended|seconds)": )(?!null)[^,\n]+', r'\1"TIME"', text)
    assert_golden("document.json", text + "\n")
