"""Whether a materialized view must be computed, and why, in the words of the event log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from local_shim.delta.log import has_other_rows
from local_shim.engine.update_context import UpdateContext
from local_shim.graph.elements import DatasetKind
from local_shim.graph.graph import ResolvedFlow
from local_shim.graph.names import TableName
from local_shim.storage import Storage, TableRecord, delta_version


class Technique(StrEnum):
    """How a materialized view is brought up to date."""

    NO_OP = "MAINTENANCE_TYPE_NO_OP"
    COMPLETE_RECOMPUTE = "MAINTENANCE_TYPE_COMPLETE_RECOMPUTE"


class IssueType(StrEnum):
    """Why the stored rows of a view may not be those of its query.

    [choice] The first two are Databricks' words. It has none for a first refresh, for a full one
    and for inputs that changed, which it would follow incrementally.
    """

    QUERY_CHANGED = "QUERY_FINGERPRINT_CHANGED"
    NOT_DETERMINISTIC = "PLAN_NOT_DETERMINISTIC"
    NOT_COMPUTED = "NOT_COMPUTED_YET"
    FULL_REFRESH = "FULL_REFRESH_REQUESTED"
    INPUTS_CHANGED = "INPUTS_CHANGED"


@dataclass(frozen=True)
class SourceVersion:
    """A table that a view was computed from, with its version then and now."""

    name: str
    computed_from: int
    newest: int
    has_other_rows: bool

    @property
    def label(self) -> str:
        """The last part of the name."""
        return re.split("[./]", self.name)[-1]


@dataclass(frozen=True)
class RefreshPlan:
    """What brings a materialized view up to date; without an issue its stored rows are right."""

    issue: IssueType | None = None
    sources: tuple[SourceVersion, ...] = ()

    @property
    def technique(self) -> Technique:
        """What is done."""
        return Technique.COMPLETE_RECOMPUTE if self.issue else Technique.NO_OP

    @property
    def reason(self) -> str | None:
        """Why the view is computed, for people; None if it is not."""
        if self.issue is not IssueType.INPUTS_CHANGED:
            return _REASONS[self.issue] if self.issue else None
        changes = [
            f"{each.label} (version {each.computed_from} to {each.newest})"
            for each in self.sources
            if each.has_other_rows
        ]
        return f"changed since it was computed: {', '.join(changes)}"

    def details(self) -> dict[str, Any]:
        """The details of a `planning_information` event."""
        technique = {"maintenance_type": self.technique, "is_chosen": True, "is_applicable": True}
        return {
            "technique_information": [technique, *self._other_techniques()],
            "source_table_information": [
                {
                    "table_name": each.name,
                    "version": each.newest,
                    "computed_from_version": each.computed_from,
                }
                for each in self.sources
            ],
            "reason": self.reason,
        }

    def _other_techniques(self) -> Iterator[dict[str, Any]]:
        if self.issue:
            yield {
                "maintenance_type": Technique.NO_OP,
                "is_chosen": False,
                "is_applicable": False,
                "incrementalization_issues": [
                    {"issue_type": self.issue, "prevent_incrementalization": True}
                ],
            }


_REASONS = {
    IssueType.NOT_COMPUTED: "computed for the first time",
    IssueType.FULL_REFRESH: "a full refresh was requested",
    IssueType.QUERY_CHANGED: "its query, its code or the configuration has changed",
    IssueType.NOT_DETERMINISTIC: "its query may give other rows each time "
    "(clock, random numbers, plain files)",
}


def plan_refresh(
    context: UpdateContext, flow: ResolvedFlow, digest: str, *, full: bool = False
) -> RefreshPlan | None:
    """Compares a view with its last refresh; None for a flow that fills no materialized view.

    `digest` stands for query, code and configuration. A full refresh is due if `full` requests
    it, or if an update began one.
    """
    if context.graph.datasets[flow.target].kind is not DatasetKind.MATERIALIZED_VIEW:
        return None
    return stored_refresh(context.storage, flow.target, digest, full=full)


def stored_refresh(
    storage: Storage, view: TableName, digest: str, *, full: bool = False
) -> RefreshPlan:
    """The same for a materialized view, whose stored rows and record are looked at."""
    record = storage.record(view)
    if record is None or not storage.has_table(view):
        return RefreshPlan(IssueType.NOT_COMPUTED)
    if full or storage.reset_underway(view):
        return RefreshPlan(IssueType.FULL_REFRESH, _sources(storage, record))
    if not record.fingerprint:
        return RefreshPlan(IssueType.NOT_DETERMINISTIC)
    sources = _sources(storage, record)
    if record.fingerprint != digest:
        return RefreshPlan(IssueType.QUERY_CHANGED, sources)
    if any(each.has_other_rows for each in sources):
        return RefreshPlan(IssueType.INPUTS_CHANGED, sources)
    return RefreshPlan(None, sources)


def _sources(storage: Storage, record: TableRecord) -> tuple[SourceVersion, ...]:
    return tuple(_source(storage, Path(path), version) for path, version in record.inputs.items())


def _source(storage: Storage, folder: Path, version: int) -> SourceVersion:
    name, newest = storage.table_name(folder), delta_version(folder)
    return SourceVersion(name, version, newest, has_other_rows(folder, version))
