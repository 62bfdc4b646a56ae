"""The manifest of a target's state: its parts, and what each application has done."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pyspark.sql.types import StructType

from local_shim import stored_json
from local_shim.cdc.target_table.target import CdcResult

_VERSION = 1  # of the file's format


@dataclass(frozen=True)
class Part:
    """One immutable Parquet folder; `app` and `version` name the micro-batch that wrote it."""

    folder: str
    app: str
    version: int
    rows: int
    oldest_delete: int | None = None  # microseconds since 1970, wall clock


@dataclass(frozen=True)
class BatchResult:
    """The result of an application's last micro-batch, given again when it is repeated."""

    version: int
    upserted: int
    deleted: int
    warnings: tuple[str, ...] = ()

    @property
    def result(self) -> CdcResult:
        """What `apply_batch` returns."""
        return CdcResult(self.upserted, self.deleted, self.warnings)


@dataclass(frozen=True)
class Manifest:
    """The whole state but for the rows of its parts."""

    parts: tuple[Part, ...] = ()
    next_part: int = 0
    schema: str | None = None  # JSON of the columns of the parts
    sparse: bool = False
    truncated: str | None = None  # JSON of {"seq": …}: events below it are void
    floor: str | None = None  # the same of a snapshot: events at or below it are void
    floor_type: str | None = None  # the floor's type, as SQL writes it
    snapshot_version: dict[str, Any] | None = None
    target: dict[str, Any] = field(default_factory=dict)  # keys, SCD type, track history
    flows: dict[str, Any] = field(default_factory=dict)  # per flow: its sequence
    planned: dict[str, BatchResult] = field(default_factory=dict)  # per application, before commit
    done: dict[str, BatchResult] = field(default_factory=dict)  # the same after it
    maintained_at: int | None = None  # last collection of tombstones, or the state's first batch

    @property
    def rows(self) -> int:
        """Rows in all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def columns(self) -> StructType | None:
        """The columns of the parts; None before the first."""
        return None if self.schema is None else StructType.fromJson(json.loads(self.schema))

    def without(self, folders: set[str]) -> Manifest:
        """The manifest without these parts."""
        return replace(self, parts=tuple(p for p in self.parts if p.folder not in folders))

    def of_batch(self, app: str, version: int) -> set[str]:
        """Folders of the parts that an earlier attempt of this micro-batch wrote."""
        return {p.folder for p in self.parts if (p.app, p.version) == (app, version)}

    def with_commits(self, committed: dict[str, int]) -> Manifest:
        """The manifest after looking into the target's log for the batches that were planned.

        `committed` has the last committed version per application. What was planned and committed
        is done, though the process was killed before it stored that.
        """
        committed_plans = {
            app: plan
            for app, plan in self.planned.items()
            if plan.version <= committed.get(app, -1)
        }
        return replace(self, done={**self.done, **committed_plans})

    @property
    def interrupted(self) -> bool:
        """Whether the manifest does not say if a planned batch was committed."""
        return any(
            app not in self.done or self.done[app].version < plan.version
            for app, plan in self.planned.items()
        )

    def unfinished(self) -> set[str]:
        """Parts of micro-batches whose target commit is missing: a crash came before it.

        Their batches will come again. Until then SCD type 1 must not compare with their sequences:
        the repeated batch would lose against its own first attempt.
        """
        finished = {app: result.version for app, result in self.done.items()}
        return {p.folder for p in self.parts if p.app and p.version > finished.get(p.app, -1)}


def to_json(manifest: Manifest) -> str:
    """The manifest as text."""
    return stored_json.dump(_VERSION, asdict(manifest))


def from_json(text: str, path: Path) -> Manifest:
    """The manifest that `to_json` wrote; UsageError if a newer version of it did."""
    values = stored_json.known_fields(Manifest, stored_json.load(text, _VERSION, path))
    values["parts"] = tuple(Part(**part) for part in values["parts"])
    for name in ("planned", "done"):
        values[name] = {
            app: BatchResult(**{**result, "warnings": tuple(result["warnings"])})
            for app, result in values[name].items()
        }
    return Manifest(**values)
