"""Keeps the state small: merges parts of one size, and drops rows that decide nothing more."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from local_shim.cdc.fold.change_rows import DELETE, payload
from local_shim.cdc.state.store import CdcState, Manifest, Part
from local_shim.graph.elements import ScdType

# Parts of about one size are merged when there are so many of them: the work per row grows with
# the logarithm of the table, and a batch never waits for a rewrite of everything.
_PARTS_PER_SIZE = 8
_SMALLEST = 50_000


def compacted(
    spark: SparkSession, state: CdcState, manifest: Manifest, scd_type: ScdType
) -> Manifest:
    """The manifest after merging the parts of a size that has too many; usually the same."""
    sizes: dict[int, list[Part]] = {}
    for part in manifest.parts:
        sizes.setdefault(_size(part.rows), []).append(part)
    for parts in sizes.values():
        if len(parts) >= _PARTS_PER_SIZE:
            return merged(spark, state, manifest, parts, scd_type)
    return manifest


def merged(
    spark: SparkSession,
    state: CdcState,
    manifest: Manifest,
    parts: list[Part],
    scd_type: ScdType,
    limit: int | None = None,
) -> Manifest:
    """The manifest with one part in place of these, without deletes kept since before `limit`.

    Parts of batches that a crash interrupted stay as they are: SCD type 1 must tell them apart.
    """
    schema = manifest.columns
    if schema is None:
        return manifest
    folders = {part.folder for part in parts} - manifest.unfinished()
    others = {part.folder for part in manifest.parts} - folders
    rows = state.read(spark, manifest, schema, others)
    if rows is None:
        return manifest
    small = _reduced(rows, manifest.sparse, scd_type)
    if limit is not None:
        small = small.where((F.col("kind") != DELETE) | (F.col("at") > limit))
    small = small.persist()
    try:
        deletes = F.when(F.col("kind") == DELETE, F.col("at"))
        row = small.agg(F.count(F.lit(1)), F.min(deletes)).first()
        count, oldest = (row[0], row[1]) if row else (0, None)
        rest = manifest.without(folders)
        if not count:
            return rest
        files = 1 if count < 4 * _SMALLEST else 4
        return state.write(small.coalesce(files), rest, Part("", "", -1, count, oldest))
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
    """Drops rows below a newer delete, or below a newer upsert of the same leaf columns."""
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
    return best.agg(*(F.min_by(name, "at").alias(name) for name in names)).select(*rows.columns)


def _size(rows: int) -> int:
    size = 0
    while rows >= _SMALLEST * _PARTS_PER_SIZE**size:
        size += 1
    return size
