"""What must be remembered beside a target: sequences, tombstones, events that later ones hide.

On disk: immutable Parquet folders ("parts") and one `manifest.json` that lists them. A part is
written first, then the manifest is replaced in one step, so a crash leaves the old
list or the new one. Each part carries the transaction id of the micro-batch that wrote it, the
same id that the target's commit carries.

Why not a Delta table: it is read and appended to in every micro-batch. On small data a Delta
append and the first read after it cost 0.9 s, a part 0.2 s, and the old parts go away without
a VACUUM (measured; benchmarks/cdc.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from local_shim import durable_files, stored_json

_MANIFEST = "manifest.json"
_VERSION = 1  # of its format


@dataclass(frozen=True)
class Part:
    """One immutable Parquet folder; `app` and `version` name the micro-batch that wrote it."""

    folder: str
    app: str
    version: int
    rows: int
    oldest_delete: int | None = None  # microseconds since 1970, wall clock


@dataclass(frozen=True)
class Done:
    """The result of an application's last micro-batch, given again when it is repeated."""

    version: int
    upserted: int
    deleted: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Everything remembered, apart from the rows of the parts themselves."""

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
    planned: dict[str, Done] = field(default_factory=dict)  # per application, before its commit
    done: dict[str, Done] = field(default_factory=dict)  # the same after it

    @property
    def rows(self) -> int:
        """Rows in all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def columns(self) -> StructType | None:
        """The columns of the parts; None before the first."""
        return None if self.schema is None else StructType.fromJson(json.loads(self.schema))

    def without(self, folders: set[str]) -> Manifest:
        """The manifest after these parts are gone."""
        return replace(self, parts=tuple(p for p in self.parts if p.folder not in folders))

    def of_batch(self, app: str, version: int) -> set[str]:
        """Folders of the parts that this micro-batch wrote, in an attempt before this one."""
        return {p.folder for p in self.parts if (p.app, p.version) == (app, version)}

    def told_by(self, committed: dict[str, int]) -> Manifest:
        """The manifest once the target has said up to which version each application committed.

        What was planned and committed is done, though the process died before noting it.
        """
        done = {
            app: plan
            for app, plan in self.planned.items()
            if plan.version <= committed.get(app, -1)
        }
        return replace(self, done={**self.done, **done})

    @property
    def interrupted(self) -> bool:
        """Whether a batch was planned of which it is not known that the target has it."""
        return any(
            app not in self.done or self.done[app].version < plan.version
            for app, plan in self.planned.items()
        )

    def unfinished(self) -> set[str]:
        """Folders of micro-batches whose target write is missing: a crash came before it.

        Their sequences prove nothing yet. They will come again, and must be found apart.
        """
        finished = {app: done.version for app, done in self.done.items()}
        return {p.folder for p in self.parts if p.app and p.version > finished.get(p.app, -1)}


class CdcState:
    """The hands that read and write one target's memory."""

    def __init__(self, root: str):
        self.root = Path(root.removeprefix("file:"))

    def manifest(self) -> Manifest:
        """The current list; an empty one before the first write."""
        path = self.root / _MANIFEST
        text = durable_files.read_text(path)
        if text is None:
            return Manifest()
        raw = stored_json.known_fields(Manifest, stored_json.load(text, _VERSION, path))
        raw["parts"] = tuple(Part(**part) for part in raw["parts"])
        for name in ("planned", "done"):
            raw[name] = {
                app: Done(**{**done, "warnings": tuple(done["warnings"])})
                for app, done in raw[name].items()
            }
        return Manifest(**raw)

    def keep(self, manifest: Manifest) -> None:
        """Make this the current list, in one step, and forget the parts it no longer names."""
        text = stored_json.dump(_VERSION, asdict(manifest))
        durable_files.write_atomically(self.root / _MANIFEST, text)

    def read(
        self, spark: SparkSession, manifest: Manifest, schema: StructType, without: set[str]
    ) -> DataFrame | None:
        """All remembered rows but those of `without`; None if there are none."""
        folders = [p.folder for p in manifest.parts if p.rows and p.folder not in without]
        if not folders:
            return None
        return spark.read.schema(schema).parquet(*(str(self.root / name) for name in folders))

    def write(self, rows: DataFrame, manifest: Manifest, part: Part) -> Manifest:
        """Write one part; the manifest given back names it, but is not kept yet."""
        folder = f"part-{manifest.next_part:06d}"
        rows.write.mode("overwrite").parquet(str(self.root / folder))
        named = replace(part, folder=folder)
        return replace(manifest, parts=(*manifest.parts, named), next_part=manifest.next_part + 1)

    def sweep(self, manifest: Manifest) -> None:
        """Delete the folders that no list names any more; nobody can be reading them."""
        named = {part.folder for part in manifest.parts}
        for name in durable_files.names(self.root):
            if name.startswith("part-") and name not in named:
                durable_files.delete(self.root / name)
