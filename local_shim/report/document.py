"""The document of an update: everything that a report, a graph or a test shows, as plain JSON.

It is made of events alone, also of a journal that is not complete. `"format"` gets another number
when readers must change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from local_shim.report.update_view import FlowView, UpdateView

FORMAT = 1
Document = dict[str, Any]
_TABLES = ("STREAMING_TABLE", "MATERIALIZED_VIEW", "MANAGED_TABLE")
_WHY = {  # where the event log gives no reason
    "MAINTENANCE_TYPE_NO_OP": "up to date: code and inputs are unchanged",
    "MAINTENANCE_TYPE_COMPLETE_RECOMPUTE": "computed in full",
}


def document(
    records: Iterable[Mapping[str, Any]], before: Sequence[Iterable[Mapping[str, Any]]] = ()
) -> Document:
    """The document of the update that `records` are about; `before` are earlier updates."""
    view = UpdateView(records)
    return {
        "format": FORMAT,
        "pipeline": {
            "id": view.origin.get("pipeline_id", ""),
            "name": view.origin.get("pipeline_name", ""),
        },
        "update": _update(view),
        "datasets": [_dataset(view, name) for name in view.datasets],
        "flows": [_flow(view, name) for name in {**view.definitions, **view.flows}],
        "outside": _outside(view),
        "history": [_past(UpdateView(each)) for each in before],
        "warnings": view.warnings,
    }


def published_tables(doc: Document) -> list[str]:
    """The datasets of a document that are tables and not private."""
    return [
        each["name"] for each in doc["datasets"] if each["kind"] in _TABLES and not each["private"]
    ]


def with_rows(doc: Document, rows: Mapping[str, Document]) -> Document:
    """The document with the first rows of the datasets that `rows` holds."""
    datasets = [{**each, "rows": rows.get(each["name"])} for each in doc["datasets"]]
    return {**doc, "datasets": datasets}


def _update(view: UpdateView) -> Document:
    return {
        "id": view.origin.get("update_id", ""),
        "state": view.state,
        "cause": view.creation.get("cause", ""),
        "run_as": view.creation.get("run_as", ""),
        "request": view.creation.get("request", {}),
        "started": _time(view.started),
        "ended": _time(view.ended),
        "seconds": _seconds(view),
        "error": view.error,
    }


def _outside(view: UpdateView) -> list[Document]:
    """Tables that no flow of the pipeline writes, and the paths that flows read."""
    flows = view.definitions.values()
    tables = {name for each in flows for name in each["input_datasets"]} - set(view.datasets)
    paths = {path for each in flows for path in each.get("input_paths", ())}
    return [
        *({"name": name, "kind": "TABLE"} for name in sorted(tables)),
        *({"name": path, "kind": "PATH"} for path in sorted(paths)),
    ]


def _dataset(view: UpdateView, name: str) -> Document:
    definition = view.datasets[name]
    schemas = [each["schema"] for each in view.definitions.values() if each["target"] == name]
    return {
        "name": name,
        "kind": definition["dataset_type"],
        "comment": definition.get("comment"),
        "private": definition.get("private", False),
        "source": definition.get("source"),
        "columns": schemas[0] if schemas else [],
        "rows": None,
        "rules": definition.get("expectations", []),
    }


def _flow(view: UpdateView, name: str) -> Document:
    definition = view.definitions.get(name, {})
    flow = view.flows.get(name) or FlowView(name, definition.get("target", name), status="")
    return {
        "name": name,
        "target": definition.get("target", flow.dataset),
        "kind": definition.get("flow_type", ""),
        "reads": [*definition.get("input_datasets", []), *definition.get("input_paths", [])],
        "once": definition.get("once", False),
        "source": definition.get("source"),
        "status": flow.status,
        "started": _time(flow.started),
        "ended": _time(flow.ended),
        "seconds": flow.seconds,
        **_rows(flow),
        "technique": flow.technique,
        "why": flow.reason or _WHY.get(flow.technique, ""),
        "rules": _rules(flow),
        "error": _error(flow),
        "skipped_because": view.failed_ancestors(name) if flow.status == "SKIPPED" else [],
    }


def _rows(flow: FlowView) -> Document:
    return {
        "rows": flow.metrics.get("num_output_rows", 0),
        "upserted": flow.metrics.get("num_upserted_rows", 0),
        "deleted": flow.deleted,
        "dropped": flow.dropped,
    }


def _rules(flow: FlowView) -> list[Document]:
    return [
        {"dataset": dataset, "name": name, "passed": counts.passed, "failed": counts.failed}
        for (dataset, name), counts in flow.rules.items()
    ]


def _error(flow: FlowView) -> Document | None:
    if flow.status != "FAILED":
        return None
    stack = flow.exception.get("stack") or []
    return {
        "class_name": flow.exception.get("class_name", ""),
        "message": flow.error,
        "stack": [f"{each['file_name']}:{each['line_number']}" for each in stack],
    }


def _past(view: UpdateView) -> Document:
    """An earlier update, for comparison."""
    return {
        "update": view.origin.get("update_id", ""),
        "state": view.state,
        "cause": view.creation.get("cause", ""),
        "request": view.creation.get("request", {}),
        "started": _time(view.started),
        "seconds": _seconds(view),
        "rows": sum(flow.written for flow in view.flows.values()),
        "flows": {name: flow.written for name, flow in view.flows.items() if flow.metrics},
        "failed_checks": {
            f"{dataset}/{name}": counts.failed
            for flow in view.flows.values()
            for (dataset, name), counts in flow.rules.items()
        },
    }


def _seconds(view: UpdateView) -> float | None:
    if view.started is None or view.ended is None:
        return None
    return (view.ended - view.started).total_seconds()


def _time(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
