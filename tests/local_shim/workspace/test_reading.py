"""Pipelines, updates and events that journals tell of: no update runs here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("databricks.sdk")

from databricks.sdk.errors import BadRequest, ResourceConflict, ResourceDoesNotExist
from databricks.sdk.service.pipelines import GetUpdateResponse, UpdateInfoState

from local_shim.events.runner import this_runner
from tests.local_shim.workspace.local_workspace import LocalWorkspace


def messages(workspace: LocalWorkspace, **query: Any) -> list[str]:
    events = workspace.client.pipelines.list_pipeline_events("insurance", **query)
    return [event.message or "" for event in events]


def state_of(response: GetUpdateResponse) -> UpdateInfoState | None:
    assert response.update
    return response.update.state


def test_the_served_pipeline_is_described(workspace: LocalWorkspace) -> None:
    """W3, in part: the spec as it was read, its parameters beside it."""
    pipeline = workspace.client.pipelines.get("insurance")
    assert pipeline.spec
    assert (pipeline.name, pipeline.spec.schema) == ("insurance-prod", "claims")
    assert str(pipeline.state).endswith("IDLE")
    assert pipeline.latest_updates == []


def test_pipelines_page_and_are_filtered_by_name(workspace: LocalWorkspace) -> None:
    """W9"""
    for number in range(30):
        workspace.journal(f"u{number}", "COMPLETED", pipeline=f"p{number:02}")
    pipelines = workspace.client.pipelines
    listed = [each.pipeline_id for each in pipelines.list_pipelines(max_results=7)]
    assert listed == ["insurance", *(f"p{number:02}" for number in range(30))]
    named = pipelines.list_pipelines(filter="name LIKE '%p2%'", max_results=7)
    assert [each.name for each in named] == [f"p2{digit}" for digit in range(10)]
    for wrong in ({"filter": "name = 'x'"}, {"max_results": 101}):
        with pytest.raises(BadRequest):
            list(pipelines.list_pipelines(**wrong))


def test_an_unknown_pipeline_or_update_does_not_exist(workspace: LocalWorkspace) -> None:
    pipelines = workspace.client.pipelines
    calls: list[Callable[[], Any]] = [
        lambda: pipelines.get("other"),
        lambda: pipelines.list_updates("other"),
        lambda: pipelines.get_update("insurance", "other"),
        lambda: list(pipelines.list_pipeline_events("other")),
        lambda: pipelines.start_update("other"),
        lambda: pipelines.stop("other"),
    ]
    for ask in calls:
        with pytest.raises(ResourceDoesNotExist, match="other"):
            ask()


def test_a_pipeline_of_another_terminal_is_shown_but_not_started(workspace: LocalWorkspace) -> None:
    """W20"""
    workspace.journal("u1", "COMPLETED", pipeline="other")
    pipelines = workspace.client.pipelines
    assert pipelines.get("other").spec is None
    assert state_of(pipelines.get_update("other", "u1")) is UpdateInfoState.COMPLETED
    with pytest.raises(BadRequest, match="cannot run pipeline"):
        pipelines.start_update("other")


def test_updates_are_listed_newest_first_and_page(workspace: LocalWorkspace) -> None:
    """W19: from the journals alone, as after a restart of the server."""
    for number in range(5):
        workspace.journal(f"u{number}", "COMPLETED", request={"full_refresh": number == 4})
    pipelines = workspace.client.pipelines
    first = pipelines.list_updates("insurance", max_results=2)
    assert [each.update_id for each in first.updates or ()] == ["u4", "u3"]
    assert [each.full_refresh for each in first.updates or ()] == [True, None]
    second = pipelines.list_updates("insurance", page_token=first.next_page_token)
    assert [each.update_id for each in second.updates or ()] == ["u2", "u1"]
    until = pipelines.list_updates("insurance", until_update_id="u3")
    assert [each.update_id for each in until.updates or ()] == ["u4", "u3"]


def test_a_failed_update_leaves_an_idle_unhealthy_pipeline(workspace: LocalWorkspace) -> None:
    """W16"""
    workspace.journal("u1", "FAILED")
    pipeline = workspace.client.pipelines.get("insurance")
    assert (str(pipeline.state), str(pipeline.health)) == (
        "PipelineState.IDLE",
        "GetPipelineResponseHealth.UNHEALTHY",
    )
    assert pipeline.cause == "[NO_SOURCES] nothing to do."
    assert [str(each.state) for each in pipeline.latest_updates or ()] == [
        "UpdateStateInfoState.FAILED"
    ]


def test_an_update_of_another_process_is_active(workspace: LocalWorkspace) -> None:
    """W20"""
    workspace.journal("u1", "RUNNING")
    pipelines = workspace.client.pipelines
    assert str(pipelines.get("insurance").state) == "PipelineState.RUNNING"
    assert state_of(pipelines.get_update("insurance", "u1")) is UpdateInfoState.RUNNING
    with pytest.raises(ResourceConflict, match="u1 of insurance is RUNNING"):
        pipelines.start_update("insurance")


def test_an_update_whose_process_died_has_failed(workspace: LocalWorkspace) -> None:
    """W21"""
    path = workspace.journal("u1", "RUNNING", runner={})
    with path.open("a") as file:
        file.write('{"id": "half a li')
    pipelines = workspace.client.pipelines
    assert state_of(pipelines.get_update("insurance", "u1")) is UpdateInfoState.FAILED
    first = next(iter(pipelines.list_pipeline_events("insurance")))
    assert first.message == "Update u1 is FAILED."
    assert "[UPDATE_DIED]" in (pipelines.get("insurance").cause or "")


def test_events_come_newest_first_or_in_order(workspace: LocalWorkspace) -> None:
    """W22"""
    workspace.journal("u1", "RUNNING", "COMPLETED")
    workspace.journal("u2", "COMPLETED")
    expected = ["made", "Update u1 is RUNNING.", "Update u1 is COMPLETED.", "made"]
    expected.append("Update u2 is COMPLETED.")
    assert messages(workspace) == expected[::-1]
    assert messages(workspace, order_by=["timestamp asc"]) == expected
    with pytest.raises(BadRequest, match="level asc"):
        messages(workspace, order_by=["level asc"])


def test_events_are_filtered(workspace: LocalWorkspace) -> None:
    """W22: each field alone, and joined."""
    workspace.journal("u1", "RUNNING", "FAILED")
    workspace.journal("u2", "COMPLETED")
    (failed,) = workspace.client.pipelines.list_pipeline_events("insurance", filter="level='ERROR'")
    counts = {
        "update_id = 'u1'": 3,
        "UPDATE_ID='u1' and update_id = 'u2'": 0,
        "event_type in ('create_update', 'flow_progress')": 2,
        f"id = '{failed.id}'": 1,
        f"timestamp > '{failed.timestamp}'": 2,
        f"timestamp<='{failed.timestamp}' AND level IN ('INFO')": 2,
        f"timestamp = '{(failed.timestamp or '').replace('Z', '+00:00')}'": 1,
        f"timestamp >= '{failed.timestamp}' and timestamp < '2999-01-01'": 3,
    }
    assert {text: len(messages(workspace, filter=text)) for text in counts} == counts


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("levle = 'INFO'", "levle"),
        ("level > 'INFO'", "level"),
        ("level = INFO", "level"),
        ("level = 'INFO' or id = '1'", "or"),
        ("level = 'INFO' and", "and"),
        ("timestamp in ('2026-01-01')", "timestamp"),
        ("timestamp > 'yesterday'", "yesterday"),
    ],
)
def test_a_wrong_filter_is_quoted(workspace: LocalWorkspace, text: str, word: str) -> None:
    """W22"""
    with pytest.raises(BadRequest, match=f"'{word}'"):
        messages(workspace, filter=text)


def test_an_answer_holds_no_phrase_that_the_sdk_retries_on(workspace: LocalWorkspace) -> None:
    """W27: a retry would go on for five minutes."""
    with pytest.raises(BadRequest, match="unexpected error"):
        messages(workspace, filter="level = 'x' Unexpected error")


def test_pages_give_each_event_once_while_an_update_writes_more(workspace: LocalWorkspace) -> None:
    """W23"""
    workspace.journal("u1", *["RUNNING"] * 30)
    path = "pipelines/insurance/events"
    before = [event["id"] for event in workspace.get(path, max_results=99)["events"]]
    page = workspace.get(path, max_results=7)
    ids = [event["id"] for event in page["events"]]
    while "next_page_token" in page:
        workspace.journal("u1", "RUNNING")
        page = workspace.get(path, page_token=page["next_page_token"])
        ids += [event["id"] for event in page["events"]]
    assert ids == before


def test_a_token_of_another_list_is_refused(workspace: LocalWorkspace) -> None:
    workspace.journal("u1", "RUNNING", "COMPLETED")
    path = "pipelines/insurance/events"
    token = workspace.get(path, max_results=1)["next_page_token"]
    assert len(workspace.get(path, max_results=1, page_token=token)["events"]) == 1
    for wrong in ({"page_token": token, "max_results": 2}, {"page_token": "bm9uZQ=="}):
        with pytest.raises(BadRequest, match=r"differs|not issued by this server"):
            workspace.get(path, **wrong)
    with pytest.raises(BadRequest, match="not in the list any more"):
        workspace.get("pipelines/insurance/updates", page_token=token)


def test_details_are_objects(workspace: LocalWorkspace) -> None:
    """W24"""
    workspace.journal("u1", "RUNNING")
    events = workspace.get("pipelines/insurance/events", order_by="timestamp asc")["events"]
    assert [event["details"] for event in events[:2]] == [
        {"create_update": {"cause": "USER_ACTION", "runner": this_runner()}},
        {"update_progress": {"state": "RUNNING"}},
    ]
    assert json.dumps(events)


def test_polling_by_timestamp_loses_nothing(workspace: LocalWorkspace) -> None:
    """W25"""
    workspace.journal("u1", *["RUNNING"] * 20)
    path = "pipelines/insurance/events"
    last, count = "2000-01-01", 0
    while events := workspace.get(
        path, filter=f"timestamp > '{last}'", order_by="timestamp asc", max_results=4
    )["events"]:
        last, count = events[-1]["timestamp"], count + len(events)
    assert count == 21
