"""The routes of pipelines, their updates and events."""

from __future__ import annotations

import re
from collections.abc import Callable

from local_shim.workspace import documents
from local_shim.workspace.api_error import missing, wrong_value
from local_shim.workspace.created_pipelines import check_settings
from local_shim.workspace.description import Description
from local_shim.workspace.event_filter import read_filter
from local_shim.workspace.paging import criteria, one_page
from local_shim.workspace.routes.call import Call, Document, Route
from local_shim.workspace.updates.history import UpdateSummary

_LARGEST_LIST = 100
_LARGEST_EVENTS = 1000
_NOTEBOOK_FILTER = re.compile(r"\s*notebook\s*=\s*'([^']*)'\s*", re.IGNORECASE)
_NAME_FILTER = re.compile(r"\s*name\s+like\s+'%?([^'%]*)%?'\s*", re.IGNORECASE)


def _list_pipelines(call: Call) -> Document:
    matches = _pipeline_filter(criteria(call.query).get("filter", [""])[0])
    described = call.pipelines.described()
    pipeline_ids = [pipeline_id for pipeline_id, each in described.items() if matches(each)]
    page, token = one_page(pipeline_ids, str, call.query, _LARGEST_LIST)
    statuses = [documents.status(described[each], call.pipelines.updates(each)) for each in page]
    return {"statuses": statuses, **token}


def _pipeline_filter(text: str) -> Callable[[Description], bool]:
    """Whether a pipeline meets the filter of a list; raises ApiError for one of another form."""
    if not text:
        return lambda pipeline: True
    name = _NAME_FILTER.fullmatch(text)
    if name:
        return lambda pipeline: name[1] in pipeline.name
    notebook = _NOTEBOOK_FILTER.fullmatch(text)
    if notebook:
        library = {"notebook": {"path": notebook[1]}}
        return lambda pipeline: library in (pipeline.settings.get("libraries") or ())
    raise wrong_value(
        f"filter: '{text}' cannot be read; allowed are name LIKE '%…%' and notebook = '…'."
    )


def _create_pipeline(call: Call) -> Document:
    settings = {name: value for name, value in call.body.items() if name != "dry_run"}
    if call.body.get("dry_run"):
        check_settings(settings)
        return {"effective_settings": settings}
    return {"pipeline_id": call.pipelines.create(settings)}


def _get_pipeline(call: Call) -> Document:
    (pipeline_id,) = call.names
    description = call.pipelines.describe(pipeline_id)
    return documents.pipeline(description, call.pipelines.updates(pipeline_id))


def _replace_pipeline(call: Call) -> Document:
    (pipeline_id,) = call.names
    beside = ("expected_last_modified", "pipeline_id")  # the SDK repeats the id in the body
    settings = {name: value for name, value in call.body.items() if name not in beside}
    call.pipelines.replace(pipeline_id, settings, call.body.get("expected_last_modified"))
    return {}


def _delete_pipeline(call: Call) -> Document:
    cascade = call.query.get("cascade", ["true"])[0] != "false"
    call.pipelines.delete(call.names[0], cascade=cascade)
    return {}


def _start(call: Call) -> Document:
    return {"update_id": call.pipelines.start(call.names[0], call.body)}


def _list_updates(call: Call) -> Document:
    pipeline_id = _existing(call)
    updates = call.pipelines.updates(pipeline_id)
    until = criteria(call.query).get("until_update_id")
    if until:
        ids = [each.update_id for each in updates]
        updates = updates[: ids.index(until[0]) + 1] if until[0] in ids else updates
    page, token = one_page(updates, lambda each: each.update_id, call.query, _LARGEST_LIST)
    return {"updates": [documents.update(pipeline_id, each) for each in page], **token}


def _get_update(call: Call) -> Document:
    pipeline_id = _existing(call)
    update = _update(call.pipelines.updates(pipeline_id), call.names[1])
    return {"update": documents.update(pipeline_id, update)}


def _list_events(call: Call) -> Document:
    pipeline_id = _existing(call)
    query = criteria(call.query)
    conditions = read_filter(query.get("filter", [""])[0])
    update_ids = [set(each.values) for each in conditions if each.field == "update_id"]
    selected_updates = tuple(set.intersection(*update_ids)) if update_ids else ()
    order = " ".join(query.get("order_by", ["timestamp desc"])[0].lower().split())
    if order not in ("timestamp asc", "timestamp desc"):
        raise wrong_value(f"order_by: '{order}' is neither timestamp asc nor timestamp desc.")
    events = (
        event
        for event in call.pipelines.history(pipeline_id).events(selected_updates)
        if all(condition.matches(event) for condition in conditions)
    )
    ordered = events if order.endswith("desc") else reversed(list(events))
    page, token = one_page(ordered, lambda event: event["id"], call.query, _LARGEST_EVENTS)
    return {"events": page, **token}


def _stop(call: Call) -> Document:
    call.pipelines.stop(_existing(call))
    return {}


def _apply_environment(call: Call) -> Document:
    """Nothing is installed here: an update names the packages that are missing."""
    _existing(call)
    return {}


def _existing(call: Call) -> str:
    """The id of the pipeline in the path; raises ApiError if there is no such pipeline."""
    pipeline_id = call.names[0]
    call.pipelines.check_exists(pipeline_id)
    return pipeline_id


def _update(updates: list[UpdateSummary], update_id: str) -> UpdateSummary:
    for update in updates:
        if update.update_id == update_id:
            return update
    raise missing(f"The specified update {update_id} was not found.")


_PIPELINES = "/api/2.0/pipelines"
_PIPELINE = f"{_PIPELINES}/([^/]+)"
ROUTES: tuple[Route, ...] = (
    ("GET", _PIPELINES, _list_pipelines),
    ("POST", _PIPELINES, _create_pipeline),
    ("GET", _PIPELINE, _get_pipeline),
    ("PUT", _PIPELINE, _replace_pipeline),
    ("DELETE", _PIPELINE, _delete_pipeline),
    ("POST", f"{_PIPELINE}/updates", _start),
    ("GET", f"{_PIPELINE}/updates", _list_updates),
    ("GET", f"{_PIPELINE}/updates/([^/]+)", _get_update),
    ("GET", f"{_PIPELINE}/events", _list_events),
    ("POST", f"{_PIPELINE}/stop", _stop),
    ("POST", f"{_PIPELINE}/environment/apply", _apply_environment),
)
