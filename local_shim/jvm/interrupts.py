"""Ctrl-C while Spark starts, and while the main thread waits for the JVM.

Read from PySpark 4.2.0, `java_gateway.py` and `context.py`, and Py4J 0.10.9.9:

- If Ctrl-C comes while the JVM starts, PySpark leaves the JVM behind.
- Later, PySpark's handler cancels all jobs through the connection whose answer the main thread
  waits for. Then both calls fail, with errors of Py4J instead of a KeyboardInterrupt.
- For a KeyboardInterrupt within a call, Py4J logs a traceback and closes the connections of all
  threads, unless that of the call is closed already.
"""

from __future__ import annotations

import _thread
import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

_LOGGED_BY_PY4J = "KeyboardInterrupt while sending command."


def start_context(conf: SparkConf) -> SparkContext:
    """Starts Spark. From then on Ctrl-C cancels the running jobs and raises KeyboardInterrupt.

    Raises KeyboardInterrupt at the end if Ctrl-C was pressed meanwhile.
    """
    logging.getLogger().addFilter(_is_no_interrupt)
    if threading.current_thread() is not threading.main_thread():
        return SparkContext.getOrCreate(conf)  # which sets no handler
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        context = SparkContext.getOrCreate(conf)
    except BaseException:
        signal.signal(signal.SIGINT, before)
        raise
    signal.signal(signal.SIGINT, _handler(context))
    if pressed:
        raise KeyboardInterrupt
    return context


def _handler(context: SparkContext) -> Callable[[int, FrameType | None], NoReturn]:
    gateway = context._gateway
    assert gateway is not None

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        # The answer to the interrupted call is never read. The next call makes a new connection.
        if (connection := gateway._gateway_client.get_thread_connection()) is not None:
            connection.close()
        # Not threading.Thread: the main thread may hold the lock that its start takes.
        _thread.start_new_thread(_cancel_jobs, (context,))
        with suppress(Exception):  # the JVM has ended
            _make_session_active()
        raise KeyboardInterrupt

    return interrupt


def _make_session_active() -> None:
    """A new connection is a new thread of the JVM, in which settings hold of an active session."""
    session = SparkSession._instantiatedSession
    if session is not None:
        java_class = SparkSession._get_j_spark_session_class(session._jvm)
        java_class.setActiveSession(session._jsparkSession)


def _cancel_jobs(context: SparkContext) -> None:
    """Called in a thread of its own, which has its own connection to the JVM."""
    with suppress(Exception):  # the JVM has ended, and its jobs with it
        context.cancelAllJobs()


def _is_no_interrupt(record: logging.LogRecord) -> bool:
    return record.msg != _LOGGED_BY_PY4J
