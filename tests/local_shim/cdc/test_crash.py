"""A crash between any two writes is repaired by the same batch, given again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from local_shim.cdc.apply import Batch, CdcTarget, apply_batch
from local_shim.errors import ShimError
from tests.local_shim.cdc.histories import Shape, history
from tests.local_shim.cdc.shapes import (
    SHAPES,
    differences,
    flow_of,
    frame,
    target_in,
    target_rows,
)

pytestmark = pytest.mark.slow
SEEDS = range(60)
NAMED = {shape.name: shape for shape in SHAPES}
CRASHED = ("scd1", "scd1 ignoring nulls", "scd2 tracked", "bitemporal tracked")


def split(shape: Shape) -> tuple[list[Any], list[Any], list[Any]]:
    """Three batches; the middle one is the one that crashes."""
    rows = [row for seed in SEEDS for row in history(seed, shape)]
    return rows[::3], rows[1::3], rows[2::3]


@pytest.mark.dlt(25)
@pytest.mark.parametrize("name", CRASHED)
def test_a_batch_repairs_what_its_first_attempt_left_undone(
    spark: SparkSession, tmp_path: Path, name: str
) -> None:
    """The first attempt writes its state and then cannot commit: the table refuses it."""
    shape = NAMED[name]
    flow, target = flow_of(shape), target_in(tmp_path)
    one, two, three = split(shape)
    apply_batch(frame(spark, one), Batch("app", 0), flow, target)
    set_append_only(spark, target, "true")
    with pytest.raises(Exception, match="APPEND_ONLY"):
        apply_batch(frame(spark, two), Batch("app", 1), flow, target)
    assert document(target)["planned"]["app"]["version"] == 1
    assert document(target)["done"]["app"]["version"] == 0
    set_append_only(spark, target, "false")
    # Another flow of the same target goes on in between.
    apply_batch(frame(spark, three), Batch("other", 0), flow_of(shape, name="other"), target)
    apply_batch(frame(spark, two), Batch("app", 1), flow, target)
    events = [shape.event(row) for row in (*one, *two, *three)]
    assert not differences(shape, events, target_rows(spark, target))


def set_append_only(spark: SparkSession, target: CdcTarget, value: str) -> None:
    spark.sql(
        f"ALTER TABLE delta.`{target.table}` SET TBLPROPERTIES ('delta.appendOnly' = '{value}')"
    )


def document(target: CdcTarget) -> dict[str, Any]:
    """The manifest of the target's state, as it is on disk."""
    manifest: dict[str, Any] = json.loads((target.state / "manifest.json").read_text())
    return manifest


def rewrite_document(target: CdcTarget, values: dict[str, Any]) -> None:
    (target.state / "manifest.json").write_text(json.dumps(values))


@pytest.mark.parametrize("name", ("scd1", "scd1 listed columns"))
def test_a_commit_that_was_not_noted_counts(spark: SparkSession, tmp_path: Path, name: str) -> None:
    shape = NAMED[name]
    flow, target = flow_of(shape), target_in(tmp_path)
    one, two, three = split(shape)
    apply_batch(frame(spark, one), Batch("app", 0), flow, target)
    before = document(target)["done"]
    first = apply_batch(frame(spark, two), Batch("app", 1), flow, target)
    rewrite_document(target, {**document(target), "done": before})
    apply_batch(frame(spark, three), Batch("other", 0), flow_of(shape, name="other"), target)
    assert apply_batch(frame(spark, two), Batch("app", 1), flow, target) == first
    events = [shape.event(row) for row in (*one, *two, *three)]
    assert not differences(shape, events, target_rows(spark, target))


def test_the_state_of_an_older_version_is_read(spark: SparkSession, tmp_path: Path) -> None:
    """It has neither the version of its format nor the time of the last maintenance."""
    shape = NAMED["scd1"]
    target, (one, two, three) = target_in(tmp_path), split(NAMED["scd1"])
    apply_batch(frame(spark, one), Batch("app", 0), flow_of(shape), target)
    newer = document(target)
    older = {k: v for k, v in newer.items() if k not in ("version", "maintained_at")}
    rewrite_document(target, older)
    for number, rows in enumerate((two, three), start=1):
        apply_batch(frame(spark, rows), Batch("app", number), flow_of(shape), target)
    events = [shape.event(row) for row in (*one, *two, *three)]
    assert not differences(shape, events, target_rows(spark, target))
    assert set(document(target)) == set(newer)


def test_the_state_of_a_newer_version_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    shape, target = NAMED["scd1"], target_in(tmp_path)
    rows = frame(spark, split(shape)[0])
    apply_batch(rows, Batch("app", 0), flow_of(shape), target)
    rewrite_document(target, {**document(target), "version": 99, "unheard": 1})
    with pytest.raises(ShimError, match=r"manifest\.json has format 99; this .* up to 1"):
        apply_batch(rows, Batch("app", 1), flow_of(shape), target)


def test_a_finished_batch_gives_its_result_again_and_writes_nothing(
    spark: SparkSession, tmp_path: Path
) -> None:
    shape = NAMED["scd1"]
    target, rows = target_in(tmp_path), split(shape)[0]
    first = apply_batch(frame(spark, rows), Batch("app", 0), flow_of(shape), target)
    written = sorted(os.listdir(target.table / "_delta_log"))
    again = apply_batch(frame(spark, rows), Batch("app", 0), flow_of(shape), target)
    assert again == first
    assert sorted(os.listdir(target.table / "_delta_log")) == written


@pytest.mark.parametrize("step", ["planned", "done"])
def test_kill_9_inside_the_writes(spark: SparkSession, tmp_path: Path, step: str) -> None:
    """A process is killed as soon as the manifest names its batch as planned, or as done."""
    shape = NAMED["scd2 tracked"]
    flow, target = flow_of(shape), target_in(tmp_path)
    one, two, three = split(shape)
    apply_batch(frame(spark, one), Batch("app", 0), flow, target)
    script = f"""
        import json, os, signal, threading
        from pathlib import Path
        from local_shim.cdc.apply import Batch, apply_batch
        from local_shim.jvm.session import open_session
        from tests.local_shim.cdc import shapes, test_crash

        spark = open_session()
        shape = test_crash.NAMED["scd2 tracked"]
        rows = shapes.frame(spark, test_crash.split(shape)[1])
        target = shapes.target_in(Path({str(tmp_path)!r}))

        def kill_at_step():
            while test_crash.document(target)[{step!r}]["app"]["version"] < 1:
                pass
            os.kill(os.getpid(), signal.SIGKILL)

        threading.Thread(target=kill_at_step, daemon=True).start()
        apply_batch(rows, Batch("app", 1), shapes.flow_of(shape), target)
        threading.Event().wait()
    """
    died = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-2000:]
    apply_batch(frame(spark, two), Batch("app", 1), flow, target)
    apply_batch(frame(spark, three), Batch("app", 2), flow, target)
    events = [shape.event(row) for row in (*one, *two, *three)]
    assert not differences(shape, events, target_rows(spark, target))
