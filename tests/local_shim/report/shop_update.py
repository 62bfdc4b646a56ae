"""Journals of a small pipeline, written without Spark."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet

from local_shim.events.event import EventType, FlowStatus, UpdateState
from local_shim.events.log import EventLog, Listener

SCRIPT = "</script><script>document.title = 'run'</script>"
_FLOWS = {
    "bronze_orders": ["raw.orders"],
    "silver_orders": ["bronze_orders"],
    "gold_day": ["silver_orders"],
    "gold_customer": ["silver_orders"],
}


def write_update(
    storage: Path,
    update: str,
    rows: int,
    *,
    fails: bool = False,
    listeners: Sequence[Listener] = (),
) -> None:
    """One update of `shop`; if it fails, `silver_orders` fails and skips the gold tables."""
    origin = {"pipeline_id": "shop", "pipeline_name": "shop", "update_id": update}
    events = EventLog(storage / f"system/journal/shop/{update}.jsonl", origin, listeners)
    events.write(EventType.CREATE_UPDATE, "Update started.", {"cause": "USER_ACTION"})
    for name, reads in _FLOWS.items():
        _define(events, name, reads)
    events.update(UpdateState.RUNNING)
    for name in _FLOWS:
        _run(events, name, rows, fails)
    events.update(UpdateState.FAILED if fails else UpdateState.COMPLETED)
    events.close()


def write_wide_update(storage: Path, width: int) -> None:
    """An update of a pipeline in folders a, b, c and d, with `width` datasets in each.

    A dataset reads the one of its number and the next one in the folder before; those of folder c
    read folder a too, which their path through b implies.
    """
    origin = {"pipeline_id": "wide", "pipeline_name": "wide", "update_id": "w1"}
    events = EventLog(storage / "system/journal/wide/w1.jsonl", origin, ())
    events.write(EventType.CREATE_UPDATE, "Update started.", {"cause": "USER_ACTION"})
    for folder, before in zip("abcd", ("", "a", "b", "c"), strict=True):
        for number in range(width):
            reads = [f"{before}_{each % width}" for each in (number, number + 1) if before]
            reads += [f"a_{number}"] if folder == "c" else []
            _define(events, f"{folder}_{number}", reads, f"/work/{folder}/tables.py")
    events.update(UpdateState.COMPLETED)
    events.close()


def write_table(storage: Path, name: str, values: Sequence[str]) -> Path:
    """A plain Delta table with one column of texts, in the place where a storage keeps it."""
    folder = storage / "tables/main/default" / name
    (folder / "_delta_log").mkdir(parents=True)
    field = {"name": "text", "type": "string", "nullable": True, "metadata": {}}
    schema = json.dumps({"type": "struct", "fields": [field]})
    metadata = {"metaData": {"schemaString": schema, "partitionColumns": []}}
    commit(folder, {"protocol": {"minReaderVersion": 1}}, metadata, add(folder, "a b", values))
    return folder


def add(folder: Path, file: str, values: Sequence[str]) -> dict[str, dict[str, object]]:
    """Writes a data file; gives the action that adds it to the table."""
    parquet.write_table(pyarrow.table({"text": list(values)}), folder / file)
    return {"add": {"path": file.replace(" ", "%20")}}


def commit(folder: Path, *actions: object) -> None:
    """The next version of the table."""
    log = folder / "_delta_log"
    lines = [json.dumps(action) for action in actions]
    (log / f"{len(list(log.glob('*.json'))):020}.json").write_text("\n".join(lines))


def _define(events: EventLog, name: str, reads: list[str], file: str = "shop.py") -> None:
    kind = "MATERIALIZED_VIEW" if name.startswith("gold") else "STREAMING_TABLE"
    rule = {"name": "known", "constraint": f"a <> '{SCRIPT}'", "action": "ALLOW"}
    source = {"file": file, "line": 7}
    details = {"dataset_type": kind, "num_flows": 1, "expectations": [rule], "source": source}
    events.write(EventType.DATASET_DEFINITION, "", details, dataset_name=name)
    details = {
        "input_datasets": reads,
        "input_paths": ["/landing/orders"] if name == "bronze_orders" else [],
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
    if name == "gold_day":
        reason = {"technique_information": [], "reason": "changed since it was computed"}
        events.write(EventType.PLANNING_INFORMATION, "", reason, flow_name=name, dataset_name=name)
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
