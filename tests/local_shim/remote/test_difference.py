"""Two updates are compared by what their flows counted."""

from __future__ import annotations

from typing import Any

from local_shim.remote.difference import Difference, differences, figures


def progress(
    flow: str, rows: int | None = None, failed: int | None = None, dropped: int = 0
) -> dict[str, Any]:
    details: dict[str, Any] = {"metrics": {} if rows is None else {"num_output_rows": rows}}
    if failed is not None:
        rule = {"name": "has_key", "dataset": flow, "passed_records": 9, "failed_records": failed}
        details["data_quality"] = {"dropped_records": dropped, "expectations": [rule]}
    return {"origin": {"flow_name": flow}, "details": {"flow_progress": details}}


def test_rows_add_up_over_the_passes_of_a_flow() -> None:
    assert figures([progress("a", 2), progress("a", 3)]) == {("a", "num_output_rows"): 5}


def test_a_flow_goes_by_the_last_part_of_its_name() -> None:
    assert differences(figures([progress("a", 2)]), figures([progress("main.s.a", 2)])) == []


def test_rows_that_differ_are_listed() -> None:
    local, remote = figures([progress("a", 2)]), figures([progress("a", 3)])
    assert differences(local, remote) == [Difference("a", "num_output_rows", 2, 3)]


def test_expectations_that_differ_are_listed() -> None:
    local = figures([progress("a", failed=0)])
    remote = figures([progress("a", failed=1, dropped=1)])
    assert differences(local, remote) == [
        Difference("a", "dropped_records", 0, 1),
        Difference("a", "has_key: failed", 0, 1),
    ]


def test_a_figure_that_one_update_leaves_out_is_zero() -> None:
    assert differences(figures([progress("a", 0, failed=0)]), figures([progress("a", 1)])) == [
        Difference("a", "has_key: passed", 9, 0),
        Difference("a", "num_output_rows", 0, 1),
    ]


def test_a_flow_that_one_update_lacks_is_no_zero() -> None:
    assert differences(figures([progress("a", 0)]), {}) == [
        Difference("a", "num_output_rows", 0, None)
    ]


def test_events_of_other_kinds_count_nothing() -> None:
    assert figures([{"origin": {}, "details": None}, {"origin": {}}]) == {}
