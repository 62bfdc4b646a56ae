"""The first events of an update."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable, Mapping
from importlib import metadata

from local_shim.events.event import EventType, UpdateState
from local_shim.events.log import EventLog
from local_shim.events.runner import this_runner
from local_shim.graph.elements import SourceLocation
from local_shim.pipeline_spec.pipeline import PipelineSpec


def announce(
    events: EventLog,
    spec: PipelineSpec,
    request: Mapping[str, object],
    warnings: Iterable[str] = (),
    deprecations: Iterable[tuple[str, SourceLocation]] = (),
) -> None:
    """Writes what was requested, by whom, on which versions, and what the definitions warn of."""
    write_request(events, spec, request)
    user = {"user_name": getpass.getuser(), "user_id": str(os.getuid())}
    events.write(EventType.USER_ACTION, "START", {"action": "START", **user})
    events.write(EventType.RUNTIME_DETAILS, "Spark and Delta versions.", _runtime())
    for state in (UpdateState.QUEUED, UpdateState.CREATED, UpdateState.INITIALIZING):
        events.update(state)
    for warning in warnings:
        events.warn(warning)
    for what, where in deprecations:
        events.write(EventType.DEPRECATION, f"{what} at {where} is deprecated.", {"message": what})


def write_request(events: EventLog, spec: PipelineSpec, request: Mapping[str, object]) -> None:
    """Writes the first event of an update: what was requested, and which process runs it."""
    events.write(
        EventType.CREATE_UPDATE,
        f"Update of '{spec.name}' started.",
        {
            "cause": request["cause"],
            "run_as": getpass.getuser(),
            "config": dict(spec.configuration),
            "effective_publishing_mode": "DEFAULT_PUBLISHING_MODE",
            "request": dict(request),
            "runner": this_runner(),
        },
    )


def _runtime() -> dict[str, dict[str, str]]:
    """The versions; `dbr_version`, which dashboards show, names Spark and Delta instead."""
    versions = {name: metadata.version(name) for name in ("pyspark", "delta-spark")}
    name = f"Spark {versions['pyspark']}, Delta {versions['delta-spark']} on this machine"
    return {"runtime_version": {"dbr_version": name, **versions}}
