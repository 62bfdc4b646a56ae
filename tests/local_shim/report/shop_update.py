"""Journals of a small pipeline, written without Spark."""

from __future__ import annotations

from pathlib import Path

from local_shim.events.event import EventType, FlowStatus, UpdateState
from local_shim.events.log import EventLog

SCRIPT = "</script><script>document.title = 'run'</script>"
_FLOWS = {
    "bronze_orders": ["raw.orders"],
    "silver_orders": ["bronze_orders"],
    "gold_day": ["silver_orders"],
    "gold_customer": ["silver_orders"],
}


def write_update(storage: Path, update: str, rows: int, *, fails: bool = False) -> None:
    """One update of `shop`; if it fails, `silver_orders` fails and skips the gold tables."""
    origin = {"pipeline_id": "shop", "pipeline_name": "shop", "update_id": update}
    events = EventLog(storage / f"system/journal/shop/{update}.jsonl", origin, ())
    events.write(EventType.CREATE_UPDATE, "Update started.", {"cause": "USER_ACTION"})
    for name, reads in _FLOWS.items():
        _define(events, name, reads)
    events.update(UpdateState.RUNNING)
    for name in _FLOWS:
        _run(events, name, rows, fails)
    events.update(UpdateState.FAILED if fails else UpdateState.COMPLETED)
    events.close()


def _define(events: EventLog, name: str, reads: list[str]) -> None:
    kind = "MATERIALIZED_VIEW" if name.startswith("gold") else "STREAMING_TABLE"
    rule = {"name": "known", "constraint": f"a <> '{SCRIPT}'", "action": "ALLOW"}
    source = {"file": "shop.py", "line": 7}
    details = {"dataset_type": kind, "num_flows": 1, "expectations": [rule], "source": source}
    events.write(EventType.DATASET_DEFINITION, "", details, dataset_name=name)
    details = {
        "input_datasets": reads,
        "output_dataset": name,
        "schema": [{"name": SCRIPT, "type": "int"}],
        "flow_type": "APPEND",
        "source": source,
    }
    events.write(EventType.FLOW_DEFINITION, "", details, flow_name=name, dataset_name=name)


def _run(events: EventLog, name: str, rows: int, fails: bool) -> None:
    if fails and name.startswith("gold"):
        events.flow(name, FlowStatus.SKIPPED, dataset_name=name)
        return
    events.flow(name, FlowStatus.RUNNING, dataset_name=name)
    if fails and name.startswith("silver"):
        error = ValueError(f"'12x' is no INT {SCRIPT}")
        events.flow(name, FlowStatus.FAILED, error=error, dataset_name=name)
        return
    rule = {"dataset": name, "name": "known", "passed_records": rows - 1, "failed_records": 1}
    quality = {"dropped_records": 0, "expectations": [rule]}
    events.flow(
        name,
        FlowStatus.COMPLETED,
        dataset_name=name,
        metrics={"num_output_rows": rows},
        data_quality=quality,
    )
