"""Ctrl-C ends a command with one line, while Spark starts and while the JVM works."""

from __future__ import annotations

import os
import signal
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from local_shim.cli.app import main
from local_shim.jvm.interrupts import start_context

# Presses Ctrl-C while the main thread calls the JVM, and goes on calling it.
ENDLESS_CALLS = """
    import dlt, os, signal, threading

    @dlt.table
    def rates():
        press = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        press.start()
        while True:
            spark.sql("SELECT 1 AS rate").schema
"""
ENDLESS_JOB = """
    import os, signal, threading

    def press_while_a_job_runs(context):
        while not context.statusTracker().getActiveJobsIds():
            pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press_while_a_job_runs, args=(spark.sparkContext,)).start()
    rows = spark.range(1_000_000_000_000).count()
"""


@pytest.mark.parametrize("source", [ENDLESS_CALLS, ENDLESS_JOB], ids=["calls", "job"])
def test_ctrl_c_ends_a_call_of_the_jvm(
    source: str,
    tmp_path: Path,
    spark: SparkSession,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Running jobs are cancelled, nothing is logged, and Spark can be used on."""
    (tmp_path / "source.py").write_text(textwrap.dedent(source))
    arguments = ["plan", str(tmp_path / "source.py"), "--storage", str(tmp_path / "storage")]
    assert main(arguments) == 1
    assert capsys.readouterr().err == "stopped; run the same command to go on\n"
    assert caplog.messages == []
    assert SparkSession.getActiveSession() is not None  # else settings would not hold
    assert spark.range(3).count() == 3
    while spark.sparkContext.statusTracker().getActiveJobsIds():  # else the test never ends
        pass


@pytest.fixture
def handler_restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("handler_restored")
def test_ctrl_c_while_spark_starts_is_raised_when_it_has_started(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the JVM would be left behind."""
    started = []

    def start(_: SparkConf) -> SparkContext:
        os.kill(os.getpid(), signal.SIGINT)
        started.append(True)
        return spark.sparkContext

    monkeypatch.setattr(SparkContext, "getOrCreate", start)
    with pytest.raises(KeyboardInterrupt):
        start_context(SparkConf())
    assert started


def test_ctrl_c_works_on_if_spark_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: SparkConf) -> SparkContext:
        raise RuntimeError("no Java")

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(SparkContext, "getOrCreate", start)
    with pytest.raises(RuntimeError, match="no Java"):
        start_context(SparkConf())
    assert signal.getsignal(signal.SIGINT) is before
