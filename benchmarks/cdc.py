"""What a batch of changes costs on a big AUTO CDC target, against a MERGE written by hand.

    .venv/bin/python -m benchmarks.cdc [--rows 10000000] [--changes 10000] [--rounds 3]
    .venv/bin/python -m benchmarks.cdc --growth 200      cost over many batches on a small target
    .venv/bin/python -m benchmarks.cdc --small 20        what batches of few changes cost

The batch: 90 % updates spread over all keys, 5 % inserts, 5 % deletes, 2 % of all late. The peer
gives the same guarantee against late changes with as little as possible: for SCD1 one MERGE
guarded by a sequence and a delete mark that it keeps in the table itself, for SCD2 the keys' rows
read, their intervals computed anew, and one MERGE. Both have deletion vectors, the same session
settings and the same batches, one after the other in one JVM, which starts with none of them.
Bars: SCD1 at most 0.8 of the peer, SCD2 at most 1.2.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from functools import partial, reduce
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from benchmarks.pipelines.machine import cost_of
from benchmarks.pipelines.page import publish
from benchmarks.pipelines.results import Measured, Measurement, Run
from local_shim.cdc.apply import Batch, CdcTarget, apply_batch
from local_shim.declaring.cdc_arguments import auto_cdc_flow
from local_shim.graph.elements import AutoCdcFlow, SourceLocation
from local_shim.graph.names import Namespace, TableName
from local_shim.jvm.session import LARGE_DATA, open_session

_ROWS, _CHANGES = 10_000_000, 10_000  # the size that the bars are about


def rows(spark: SparkSession, ids: DataFrame, seq: int, op: str) -> DataFrame:
    """Change rows of nine columns for these ids."""
    return ids.select(
        "id",
        F.concat(F.lit("name "), F.col("id"), F.lit(f" {seq}")).alias("name"),
        F.concat(F.lit("city "), F.col("id") % 1000).alias("city"),
        (F.col("id") % 100_000 / 100).cast("decimal(12,2)").alias("amount"),
        F.date_add(F.lit("2020-01-01").cast("date"), (F.col("id") % 2000).cast("int")).alias("day"),
        F.element_at(F.array(*map(F.lit, "abc")), (F.col("id") % 3 + 1).cast("int")).alias(
            "status"
        ),
        F.sha2(F.col("id").cast("string"), 256).alias("note"),
        (F.col("id") % 2 == 0).alias("flag"),
        F.lit(op).alias("op"),
        F.lit(seq).cast("bigint").alias("seq"),
    )


def changes(spark: SparkSession, size: int, count: int, number: int) -> DataFrame:
    """One batch; a change is late if its sequence is below that of the batch before."""
    picked = F.pmod(F.xxhash64("n", F.lit(number)), F.lit(size))
    base = spark.range(count).withColumnRenamed("id", "n")
    updates = base.where(f"n < {count * 90 // 100}").select(picked.alias("id"))
    inserts = base.where(f"n between {count * 90 // 100} and {count * 95 // 100 - 1}").select(
        (F.lit(size + number * count) + F.col("n")).alias("id")
    )
    deletes = base.where(f"n >= {count * 95 // 100}").select(picked.alias("id"))
    now = (number + 1) * 10
    parts = ((updates, "U"), (inserts, "I"), (deletes, "D"))
    whole = reduce(DataFrame.union, (rows(spark, part, now, op) for part, op in parts))
    late = F.when(F.pmod(F.col("id"), F.lit(50)) == 0, 15).otherwise(0)
    return whole.withColumn("seq", (F.col("seq") - late).cast("bigint")).dropDuplicates(["id"])


def flow(scd_type: int) -> AutoCdcFlow:
    """The flow whose target is measured."""
    return auto_cdc_flow(
        target="t",
        source="s",
        keys=["id"],
        sequence_by="seq",
        apply_as_deletes="op = 'D'",
        except_column_list=["op", "seq"],
        stored_as_scd_type=scd_type,
        where=SourceLocation(__file__, 1),
        namespace=Namespace("main", "default"),
    )


def target(folder: Path) -> CdcTarget:
    """Its folder."""
    return CdcTarget(folder / "table", folder / "state", TableName("m", "d", "t"))


DELETION_VECTORS = "'delta.enableDeletionVectors'='true'"


def peer_scd1(spark: SparkSession, path: str, batch: DataFrame) -> None:
    """The best MERGE for SCD1: guarded by the sequence, deletes kept as marks."""
    newest = Window.partitionBy("id").orderBy(F.desc("seq"))
    one = batch.withColumn("n", F.row_number().over(newest)).where("n = 1").drop("n")
    source = one.withColumn("deleted", F.col("op") == "D").drop("op")
    merge = DeltaTable.forPath(spark, path).alias("t").merge(source.alias("s"), "t.id = s.id")
    merge.whenMatchedUpdateAll("s.seq > t.seq").whenNotMatchedInsertAll().execute()


def peer_scd2(spark: SparkSession, path: str, batch: DataFrame) -> None:
    """The keys' intervals made anew, and one MERGE."""
    target_rows = spark.read.format("delta").load(path)
    keys = F.broadcast(batch.select("id").distinct())
    old_rows = target_rows.join(keys, "id", "left_semi").persist()
    closing = old_rows.where("`end` is not null").select("id", F.col("end").alias("start"))
    ends = closing.join(old_rows.select("id", "start"), ["id", "start"], "left_anti")
    pool = (
        old_rows.drop("end")
        .withColumn("op", F.lit("U"))
        .unionByName(batch.withColumnRenamed("seq", "start"))
        .unionByName(ends.withColumn("op", F.lit("D")), allowMissingColumns=True)
    )
    order = Window.partitionBy("id").orderBy("start")
    fresh = pool.dropDuplicates(["id", "start"]).withColumn("end", F.lead("start").over(order))
    fresh = fresh.where("op <> 'D'").drop("op")
    merge = (
        DeltaTable.forPath(spark, path)
        .alias("t")
        .merge(fresh.alias("s"), "t.id = s.id and t.start = s.start")
    )
    merge.whenMatchedUpdateAll("not (t.end <=> s.end)").whenNotMatchedInsertAll().execute()
    old_rows.unpersist()


def lay(spark: SparkSession, base: DataFrame, path: str) -> None:
    """The peer's table, with deletion vectors."""
    base.limit(0).write.format("delta").save(path)
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ({DELETION_VECTORS})")
    base.write.format("delta").mode("append").save(path)


def compare(
    spark: SparkSession, folder: Path, scd_type: int, options: argparse.Namespace
) -> list[Measurement]:
    """Both sides, batch by batch."""
    base = rows(spark, spark.range(options.rows), 0, "I")
    cdc_target, peer_path = target(folder), str(folder / "peer")
    loaded = cost_of(lambda: apply_batch(base, Batch("load", 0), flow(scd_type), cdc_target))
    if scd_type == 1:
        lay(spark, base.withColumn("deleted", F.lit(False)).drop("op"), peer_path)
    else:
        renamed = base.drop("op").withColumnRenamed("seq", "start")
        lay(spark, renamed.withColumn("end", F.lit(None).cast("bigint")), peer_path)
    peer = peer_scd1 if scd_type == 1 else peer_scd2
    case = f"scd{scd_type}_batch"
    measurements = []
    for number in range(options.rounds + 1):
        path = str(folder / f"batch{number}")
        changes(spark, options.rows, options.changes, number).write.parquet(path)
        batch = spark.read.parquet(path)
        dlt_local_cost = cost_of(
            partial(apply_batch, batch, Batch("app", number), flow(scd_type), cdc_target)
        )
        costs = {
            "dlt-local": dlt_local_cost,
            "MERGE": cost_of(partial(peer, spark, peer_path, batch)),
        }
        for runner, cost in costs.items() if number else ():  # the first batch warms both
            measured = Measured(case, "changes", runner)
            measurements.append(Measurement(measured, number - 1, 1, options.rows, cost))
    report(f"SCD{scd_type}, {options.changes:,} changes on {options.rows:,} rows", measurements)
    print(f"  first load {loaded.wall:.0f} s; peak memory {loaded.memory} MB")
    return measurements


def report(title: str, measurements: Sequence[Measurement]) -> None:
    """Prints medians and their ratios."""
    run = Run("", {}, "", tuple(measurements))
    dlt_local, peer = (run.median(key) for key in dict.fromkeys(m.measured for m in measurements))
    assert dlt_local is not None and peer is not None
    wall, cpu = dlt_local.wall / peer.wall, dlt_local.cpu / peer.cpu
    print(f"{title}: wall {dlt_local.wall:.1f} s against {peer.wall:.1f} s = {wall:.2f}, "
          f"cpu {dlt_local.cpu:.1f} s against {peer.cpu:.1f} s = {cpu:.2f}")  # fmt: skip


def growth(spark: SparkSession, folder: Path, scd_type: int, batches: int) -> None:
    """1,000 changes on 1,000 rows, again and again; compaction is part of the figure."""
    at = target(folder)
    walls = []
    for number in range(batches):
        batch = rows(spark, spark.range(1000), number, "U").coalesce(1)
        walls.append(
            cost_of(partial(apply_batch, batch, Batch("app", number), flow(scd_type), at)).wall
        )
    size = sum(f.stat().st_size for f in Path(at.state).rglob("*") if f.is_file()) / 2**20
    tenth = max(batches // 10, 1)
    tenths = [statistics.mean(walls[n : n + tenth]) for n in range(0, batches, tenth)]
    print(f"SCD{scd_type}, 1,000 changes on 1,000 rows, {batches} batches, seconds a batch by "
          f"tenths: {' '.join(f'{each:.2f}' for each in tenths)}; memory {size:.1f} MB in "
          f"{len(list(Path(at.state).glob('part-*')))} parts")  # fmt: skip


def small(spark: SparkSession, folder: Path, scd_type: int, batches: int) -> None:
    """30 changes on 500 rows and 1,000 on 1,000; the first half of the batches warms the JVM."""
    for size, count in ((500, 30), (1000, 1000)):
        at = target(folder / str(size))
        apply_batch(rows(spark, spark.range(size), 0, "I"), Batch("load", 0), flow(scd_type), at)
        costs = []
        for number in range(batches):
            ids = spark.range(count).select(((F.col("id") * 7 + number) % size).alias("id"))
            path = str(folder / f"changes{size}" / str(number))
            rows(spark, ids, number + 1, "U").coalesce(1).write.parquet(path)
            batch = spark.read.parquet(path)
            costs.append(
                cost_of(partial(apply_batch, batch, Batch("app", number), flow(scd_type), at))
            )
        warm = costs[batches // 2 :]
        wall = statistics.mean(cost.wall for cost in warm)
        cpu = statistics.mean(cost.cpu for cost in warm)
        print(f"SCD{scd_type}, {count:,} changes on {size:,} rows: wall {wall:.2f} s, "
              f"cpu {cpu:.2f} s a batch")  # fmt: skip


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=_ROWS)
    parser.add_argument("--changes", type=int, default=_CHANGES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", type=int, default=0)
    parser.add_argument("--small", type=int, default=0)
    parser.add_argument("--scd", type=int, choices=(1, 2), nargs="*", default=[1, 2])
    options = parser.parse_args()
    spark = open_session()
    folder = Path(tempfile.mkdtemp(prefix="cdc-bench-"))
    measurements: list[Measurement] = []
    try:
        for scd_type in options.scd:
            if options.growth:
                growth(spark, folder / f"growth{scd_type}", scd_type, options.growth)
                continue
            if options.small:
                small(spark, folder / f"small{scd_type}", scd_type, options.small)
                continue
            for key, value in LARGE_DATA.items():
                spark.conf.set(key, value)
            measurements += compare(spark, folder / f"scd{scd_type}", scd_type, options)
    finally:
        shutil.rmtree(folder)
    if measurements and (options.rows, options.changes) == (_ROWS, _CHANGES):
        publish(measurements)


if __name__ == "__main__":
    main()
