"""The event log of an update, whose events name the pipeline and the update."""

from __future__ import annotations

from collections.abc import Sequence

from local_shim.events.journal_file import last_timestamp
from local_shim.events.log import EventLog, Listener
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.storage import Storage


def open_event_log(
    storage: Storage, spec: PipelineSpec, update_id: str, listeners: Sequence[Listener] = ()
) -> EventLog:
    """Opens the journal of an update; its events follow all earlier ones of the pipeline."""
    origin = {
        "pipeline_id": spec.key,
        "pipeline_name": spec.name,
        "pipeline_type": "WORKSPACE",
        "update_id": update_id,
    }
    return EventLog(storage.journal(update_id), origin, listeners, last_timestamp(storage))
