"""Whether an update has anything to do, from names and small files alone, without Spark.

Code and configuration are compared by a digest; then each flow is asked what it asks itself in any
update: has an input of a view another version, has a stream anything to read. In doubt the answer
is that there may be something to do, and Spark starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from local_shim.durable_files import names
from local_shim.engine.flows.flow_run import once_marker_of
from local_shim.engine.maintenance import is_due
from local_shim.engine.reads.sources import StreamSource, cloud_files_options
from local_shim.engine.refresh_plan import stored_refresh
from local_shim.engine.streaming.backlog import list_files
from local_shim.engine.streaming.new_data import has_new_data
from local_shim.errors import ShimError
from local_shim.reading.path_map import PathMap
from local_shim.storage import Storage, delta_version
from local_shim.update.no_op.dependencies import (
    Dependencies,
    FlowDependencies,
    read_dependencies,
)
from local_shim.update.request import Request

# Journals wait for an update with Spark, which appends each of them in a commit of its own.
_MOST_JOURNALS = 10


def unchanged_dependencies(request: Request, storage: Storage) -> Dependencies | None:
    """What the last complete update depended on; None if any of it has changed since."""
    known = read_dependencies(storage)
    if known is None or is_due(storage, datetime.now(UTC)):
        return None
    journals = [name for name in names(storage.journals()) if name.endswith(".jsonl")]
    if len(journals) >= _MOST_JOURNALS or not storage.ended_journal(known.update_id).exists():
        return None
    try:
        return known if _is_unchanged(known, request, storage) else None
    except (OSError, ShimError):  # something is gone; the update will say what
        return None


def _is_unchanged(known: Dependencies, request: Request, storage: Storage) -> bool:
    paths = request.path_map()
    return (
        known.definition.is_current(request)
        and _have_versions(known.tables)
        and not any(_may_run(flow, storage, paths) for flow in known.flows)
    )


def _have_versions(tables: Mapping[str, int]) -> bool:
    return all(delta_version(Path(folder)) == version for folder, version in tables.items())


def _may_run(flow: FlowDependencies, storage: Storage, paths: PathMap) -> bool:
    if storage.reset_underway(flow.target):
        return True
    if flow.digest:
        return bool(stored_refresh(storage, flow.target, flow.digest).issue)
    if not flow.source:
        return not once_marker_of(storage, flow.target, flow.name).exists()
    return _has_new_data(flow, storage, paths)


def _has_new_data(flow: FlowDependencies, storage: Storage, paths: PathMap) -> bool:
    checkpoint = storage.checkpoint(flow.target, flow.name)
    source = StreamSource(flow.source)
    if flow.options is None:
        return has_new_data(checkpoint, [source], 1, [])
    options = cloud_files_options(flow.options, paths)
    source = StreamSource(flow.source, options, flow.options)
    return has_new_data(checkpoint, [source], 1, [list_files(checkpoint, source, options)])
