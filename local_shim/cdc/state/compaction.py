"""Keeps the memory small: merges parts, and forgets deletes that are old enough."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import DELETE, payload
from local_shim.cdc.state.store import CdcState, Manifest, Part
from local_shim.cdc.target.target import CdcTarget
from local_shim.graph.elements import AutoCdcFlow, ScdType, SnapshotFlow
from local_shim.jvm.session import running_session

# Parts of about one size are merged when there are so many of them: the work per row grows with
# the logarithm of the table, and a batch never waits for a rewrite of everything.
_PARTS_PER_SIZE = 8
_SMALLEST = 50_000


def compacted(
    spark: SparkSession, memory: CdcState, manifest: Manifest, scd_type: ScdType
) -> Manifest:
    """The manifest after merging the parts of a size that has too many; usually the same."""
    sizes: dict[int, list[Part]] = {}
    for part in manifest.parts:
        sizes.setdefault(_size(part.rows), []).append(part)
    for parts in sizes.values():
        if len(parts) >= _PARTS_PER_SIZE:
            return _merged(spark, memory, manifest, _finished(manifest, parts), scd_type)
    return manifest


def collect_tombstones(flow: AutoCdcFlow | SnapshotFlow, target: CdcTarget, now: datetime) -> None:
    """Forget deletes remembered for longer than `target.tombstone_seconds`, at a flow's start.

    A late upsert older than a forgotten delete then comes back (reference 2.6). Deletes that a
    target row's end shows are no tombstones and stay.
    """
    memory = CdcState(target.state)
    manifest = memory.manifest()
    limit = int((now.timestamp() - target.tombstone_seconds) * 1_000_000)
    oldest = [p.oldest_delete for p in manifest.parts if p.oldest_delete is not None]
    session = running_session()
    if not oldest or min(oldest) > limit or session is None:
        return
    finished = _finished(manifest, list(manifest.parts))
    kept = _merged(session, memory, manifest, finished, flow.scd_type, limit)
    memory.keep(kept)
    memory.sweep(kept)


def _merged(
    spark: SparkSession,
    memory: CdcState,
    manifest: Manifest,
    parts: list[Part],
    scd_type: ScdType,
    limit: int | None = None,
) -> Manifest:
    schema = manifest.columns
    if schema is None:
        return manifest
    chosen = {part.folder for part in parts}
    others = {part.folder for part in manifest.parts} - chosen
    rows = memory.read(spark, manifest, schema, others)
    if rows is None:
        return manifest
    small = _reduced(rows, manifest.sparse, scd_type)
    if limit is not None:
        small = small.where((F.col("kind") != DELETE) | (F.col("at") > limit))
    small = small.persist()
    try:
        deletes = F.when(F.col("kind") == DELETE, F.col("at"))
        found = small.agg(F.count(F.lit(1)), F.min(deletes)).first()
        count, oldest = (found[0], found[1]) if found else (0, None)
        rest = manifest.without(chosen)
        if not count:
            return rest
        files = 1 if count < 4 * _SMALLEST else 4
        return memory.write(small.coalesce(files), rest, Part("", "", -1, count, oldest))
    finally:
        small.unpersist()


def _reduced(rows: DataFrame, sparse: bool, scd_type: ScdType) -> DataFrame:
    """The rows that still decide something."""
    if scd_type is not ScdType.ONE:
        return _distinct(rows)
    if sparse:
        return _newest_per_cells(rows)
    newest = F.struct("seq", (F.col("kind") == DELETE).alias("deleted"))
    names = [name for name in rows.columns if name != "key"]
    best = rows.groupBy("key").agg(F.max_by(F.struct(*names), newest).alias("best"))
    return best.select("key", "best.*").select(*rows.columns)


def _newest_per_cells(rows: DataFrame) -> DataFrame:
    """Void is what lies below a newer delete, or below a newer upsert of the same cells."""
    key = Window.partitionBy("key")
    deleted = F.max(F.when(F.col("kind") == DELETE, F.col("seq"))).over(key)
    above = rows.withColumn("deleted", deleted).where(
        F.col("deleted").isNull() | (F.col("seq") >= F.col("deleted"))
    )
    newest = above.groupBy("key", "kind", "supplied").agg(
        F.max("seq").alias("seq"), F.min("at").alias("at")
    )
    return newest.select(*rows.columns)


def _distinct(rows: DataFrame) -> DataFrame:
    by = ["key", "seq", "kind", *(["sys"] if "sys" in rows.columns else [])]
    names = [name for name in rows.columns if name not in by]
    text = payload(F.col("row"), F.col("supplied"))
    best = rows.withColumn("text", F.coalesce(text, F.lit(""))).groupBy(*by, "text")
    kept = best.agg(*(F.min_by(name, "at").alias(name) for name in names))
    return kept.select(*rows.columns)


def _finished(manifest: Manifest, parts: list[Part]) -> list[Part]:
    apart = manifest.unfinished()
    return [part for part in parts if part.folder not in apart]


def _size(rows: int) -> int:
    size = 0
    while rows >= _SMALLEST * _PARTS_PER_SIZE**size:
        size += 1
    return size
