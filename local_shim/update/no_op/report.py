"""The events of an update that has nothing to do."""

from __future__ import annotations

from collections.abc import Iterable

from local_shim.autoloader.options.parse import parse_options
from local_shim.engine.flow_events import FlowEvents
from local_shim.engine.refresh_plan import stored_refresh
from local_shim.events.event import EventType, FlowStatus, Level, UpdateState
from local_shim.events.journal_file import Record, read_journal
from local_shim.events.log import EventLog
from local_shim.storage import Storage
from local_shim.update.no_op.dependencies import Dependencies, FlowDependencies

_DEFINITIONS = (
    EventType.DEPRECATION,
    EventType.DATASET_DEFINITION,
    EventType.SINK_DEFINITION,
    EventType.FLOW_DEFINITION,
)


def report_no_op(events: EventLog, storage: Storage, known: Dependencies) -> None:
    """Writes the definitions of the last complete update again, and that no flow has work."""
    _write_definitions(events, read_journal(storage.ended_journal(known.update_id)))
    for state in (UpdateState.SETTING_UP_TABLES, UpdateState.RUNNING):
        events.update(state)
    flows = [(FlowEvents(events, storage, each.name, each.target), each) for each in known.flows]
    for flow_events, _ in flows:
        flow_events.status(FlowStatus.QUEUED)
    for flow_events, flow in flows:
        _report(flow_events, storage, flow)


def _write_definitions(events: EventLog, records: Iterable[Record]) -> None:
    for record in records:
        event_type, origin = EventType(record["event_type"]), record["origin"]
        of_pipeline = event_type is EventType.WARNING and "flow_name" not in origin
        if event_type in _DEFINITIONS or of_pipeline:
            events.write(
                event_type,
                record["message"],
                record["details"][event_type],
                level=Level(record["level"]),
                maturity_level=record["maturity_level"],
                **{key: value for key, value in origin.items() if key not in events.origin},
            )


def _report(events: FlowEvents, storage: Storage, flow: FlowDependencies) -> None:
    if flow.digest:
        events.plan(stored_refresh(storage, flow.target, flow.digest))
        events.up_to_date()
    elif not flow.source:
        events.ran_before()
    else:
        events.status(FlowStatus.STARTING)
        events.status(FlowStatus.RUNNING)
        for note in parse_options(flow.options).notes if flow.options else ():
            events.warn(note)
        events.idle()
        events.status(FlowStatus.COMPLETED)
