"""What AUTO CDC keeps beside a target: sequences, tombstones, events that later ones hide.

On disk: immutable Parquet folders ("parts") and one `manifest.json` that lists them. A part is
written first, then the manifest is replaced in one step, so a crash leaves the old list or
the new one. Each part carries the transaction id of the micro-batch that wrote it, the
same id that the target's commit carries.

Why not a Delta table: the state is read and appended to in every micro-batch. On small data a
Delta append and the first read after it cost 0.9 s, a part 0.2 s, and old parts can be deleted
without a VACUUM (measured; benchmarks/cdc.py).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from local_shim import durable_files
from local_shim.cdc.state.manifest import BatchResult, Manifest, Part, from_json, to_json
from local_shim.jvm.configuration import PLAIN_PATH

__all__ = ["BatchResult", "CdcState", "Manifest", "Part"]

_MANIFEST = "manifest.json"


class CdcState:
    """Reads and writes the state of one target, in the folder `root`."""

    def __init__(self, root: Path):
        self.root = root

    def manifest(self) -> Manifest:
        """The current manifest; an empty one before the first write.

        Raises UsageError if a newer version of this program wrote it.
        """
        path = self.root / _MANIFEST
        text = durable_files.read_text(path)
        return Manifest() if text is None else from_json(text, path)

    def replace_manifest(self, manifest: Manifest) -> None:
        """Make this the current manifest, in one step."""
        durable_files.write_atomically(self.root / _MANIFEST, to_json(manifest))

    def read(
        self, spark: SparkSession, manifest: Manifest, schema: StructType, without: set[str]
    ) -> DataFrame | None:
        """The rows of all parts but those of `without`; None if there are none."""
        folders = [p.folder for p in manifest.parts if p.rows and p.folder not in without]
        if not folders:
            return None
        paths = [str(self.root / name) for name in folders]
        return spark.read.options(**PLAIN_PATH).schema(schema).parquet(*paths)

    def write(self, rows: DataFrame, manifest: Manifest, part: Part) -> Manifest:
        """Write one part; it counts once the returned manifest is the current one."""
        folder = f"part-{manifest.next_part:06d}"
        rows.write.mode("overwrite").parquet(str(self.root / folder))
        named = replace(part, folder=folder)
        return replace(manifest, parts=(*manifest.parts, named), next_part=manifest.next_part + 1)

    def delete_unnamed_parts(self, manifest: Manifest) -> None:
        """Delete the parts that the manifest does not name; no reader uses them any more."""
        named = {part.folder for part in manifest.parts}
        for name in durable_files.names(self.root):
            if name.startswith("part-") and name not in named:
                durable_files.delete(self.root / name)
