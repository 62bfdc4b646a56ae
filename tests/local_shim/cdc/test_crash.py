"""A crash between any two writes is repaired by the same batch, given again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from local_shim.cdc.apply import Batch, CdcTarget, apply_batch
from local_shim.cdc.state.store import CdcState
from tests.local_shim.cdc.histories import history
from tests.local_shim.cdc.shapes import SHAPES, Shape, differences, flow_of, frame, held, target_in

SEEDS = range(60)
NAMED = {shape.name: shape for shape in SHAPES}
CRASHED = ("scd1", "scd1 ignoring nulls", "scd2 tracked", "bitemporal tracked")


def split(shape: Shape) -> tuple[list, list, list]:
    """Three batches; the middle one is the one that crashes."""
    rows = [row for seed in SEEDS for row in history(seed, shape)]
    return rows[::3], rows[1::3], rows[2::3]


@pytest.mark.dlt(25)
@pytest.mark.parametrize("name", CRASHED)
def test_a_batch_repairs_what_its_first_attempt_left_undone(
    spark: SparkSession, tmp_path: Path, name: str
) -> None:
    shape = NAMED[name]
    flow, target = flow_of(shape), target_in(tmp_path)
    one, two, three = split(shape)
    apply_batch(frame(spark, one), Batch("app", 0), flow, target)
    before = tmp_path / "before"
    shutil.copytree(target.table, before)
    apply_batch(frame(spark, two), Batch("app", 1), flow, target)
    undo_target_write(spark, target, before)
    # Another flow of the same target goes on in between.
    apply_batch(frame(spark, three), Batch("other", 0), flow_of(shape, name="other"), target)
    apply_batch(frame(spark, two), Batch("app", 1), flow, target)
    events = [shape.event(row) for row in (*one, *two, *three)]
    assert not differences(shape, events, held(spark, target))


def undo_target_write(spark: SparkSession, target: CdcTarget, before: Path) -> None:
    """As if the process had died after the memory was written: no commit, not marked as done."""
    shutil.rmtree(target.table)
    shutil.copytree(before, target.table)
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    memory = CdcState(target.state)
    manifest = memory.manifest()
    done = {**manifest.done, "app": replace(manifest.done["app"], version=0)}
    memory.keep(replace(manifest, done=done))


@pytest.mark.parametrize("name", ("scd1", "scd1 listed columns"))
def test_a_commit_that_was_not_noted_counts(spark: SparkSession, tmp_path: Path, name: str) -> None:
    shape = NAMED[name]
    flow, target = flow_of(shape), target_in(tmp_path)
    one, two, three = split(shape)
    apply_batch(frame(spark, one), Batch("app", 0), flow, target)
    first = apply_batch(frame(spark, two), Batch("app", 1), flow, target)
    memory = CdcState(target.state)
    manifest = memory.manifest()
    done = {**manifest.done, "app": replace(manifest.done["app"], version=0)}
    memory.keep(replace(manifest, done=done))
    apply_batch(frame(spark, three), Batch("other", 0), flow_of(shape, name="other"), target)
    assert apply_batch(frame(spark, two), Batch("app", 1), flow, target) == first
    events = [shape.event(row) for row in (*one, *two, *three)]
    assert not differences(shape, events, held(spark, target))


def test_a_finished_batch_gives_its_result_again_and_writes_nothing(
    spark: SparkSession, tmp_path: Path
) -> None:
    shape = NAMED["scd1"]
    target, rows = target_in(tmp_path), split(shape)[0]
    first = apply_batch(frame(spark, rows), Batch("app", 0), flow_of(shape), target)
    written = sorted(os.listdir(Path(target.table) / "_delta_log"))
    again = apply_batch(frame(spark, rows), Batch("app", 0), flow_of(shape), target)
    assert again == first
    assert sorted(os.listdir(Path(target.table) / "_delta_log")) == written


@pytest.mark.slow
def test_kill_9_inside_the_writes(spark: SparkSession, tmp_path: Path) -> None:
    """A process is killed at the moment the memory is on disk and the commit is not."""
    shape = NAMED["scd2 tracked"]
    flow, target = flow_of(shape), target_in(tmp_path)
    one, two, three = split(shape)
    apply_batch(frame(spark, one), Batch("app", 0), flow, target)
    script = f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import shapes, test_crash
        from pathlib import Path
        from local_shim.cdc.write import edits as hands
        from local_shim.cdc.apply import Batch, apply_batch
        from local_shim.jvm.session import open_session
        spark = open_session()
        hands._rewrite = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        shape = test_crash.NAMED["scd2 tracked"]
        rows = test_crash.split(shape)[1]
        target = shapes.target_in(Path({str(tmp_path)!r}))
        apply_batch(shapes.frame(spark, rows), Batch("app", 1), shapes.flow_of(shape), target)
    """
    died = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, check=False
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-2000:]
    apply_batch(frame(spark, two), Batch("app", 1), flow, target)
    apply_batch(frame(spark, three), Batch("app", 2), flow, target)
    events = [shape.event(row) for row in (*one, *two, *three)]
    assert not differences(shape, events, held(spark, target))
