"""The fold of events into the state of an update."""

from __future__ import annotations

from typing import Any

from local_shim.report.update_view import RuleCounts, UpdateView


def progress(
    flow: str, status: str, second: int, error: str = "", **details: Any
) -> dict[str, Any]:
    return {
        "event_type": "flow_progress",
        "level": "INFO",
        "timestamp": f"2026-01-01T00:00:{second:02}.000000Z",
        "message": "",
        "origin": {"flow_name": flow, "dataset_name": flow},
        "details": {"flow_progress": {"status": status, **details}},
        "error": {"exceptions": [{"message": error}]} if error else None,
    }


def quality(passed: int, failed: int, dropped: int = 0) -> dict[str, Any]:
    rule = {"dataset": "a", "name": "r", "passed_records": passed, "failed_records": failed}
    return {"dropped_records": dropped, "expectations": [rule]}


def test_the_last_status_and_the_time_between_start_and_end() -> None:
    view = UpdateView([progress("a", "STARTING", 1), progress("a", "RUNNING", 2)])
    assert (view.flows["a"].status, view.flows["a"].seconds) == ("RUNNING", None)
    view.add(progress("a", "COMPLETED", 4, metrics={"num_output_rows": 5}))
    assert (view.flows["a"].seconds, view.flows["a"].written) == (3.0, 5)


def test_counts_add_up_over_events() -> None:
    view = UpdateView()
    for passed, failed, dropped in ((3, 1, 1), (4, 2, 0)):
        view.add(progress("a", "RUNNING", 1, data_quality=quality(passed, failed, dropped)))
    assert view.flows["a"].rules == {("a", "r"): RuleCounts(7, 3)}
    assert view.flows["a"].broken_rules == 1  # whatever the number of its rows
    assert view.flows["a"].dropped == 1


def test_causes_are_the_flows_that_ended_in_failure_in_their_order() -> None:
    view = UpdateView(
        [
            progress("retried", "FAILED", 1, "passing"),
            progress("b", "FAILED", 3, "second\n  line"),
            progress("a", "FAILED", 2, "first"),
            progress("retried", "RUNNING", 4),
            progress("retried", "COMPLETED", 5),
            progress("child", "SKIPPED", 6),
        ]
    )
    assert view.causes() == ["a: first", "b: second line"]


def test_half_a_journal_is_a_state_too() -> None:
    assert UpdateView().flows == {}
    assert UpdateView([progress("a", "QUEUED", 1)]).flows["a"].seconds is None
