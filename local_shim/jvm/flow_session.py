"""The session that pipeline code sees: one object, a private configuration for each flow.

`spark`, `SparkSession.getActiveSession()` and `SparkSession.builder.getOrCreate()` in pipeline
code all lead here. Behind it every running flow has its own clone of the session, with the
functions and views that the files registered, so that settings of two flows never meet.

Read from PySpark 4.2.0: `sql/session.py` (`_jsparkSession` of a SparkSession, the class attributes
`_instantiatedSession` and `_activeSession`), `sql/conf.py` and `sql/catalog.py`; and from Spark
4.2.0: `sql/core/…/classic/SparkSession.scala` (cloneSession, setActiveSession).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.catalog import Catalog
from pyspark.sql.conf import RuntimeConfig

_of_flow: ContextVar[Any] = ContextVar("session_of_flow", default=None)


class FlowSession(SparkSession):
    """A SparkSession whose Java half is that of the flow running in this thread."""

    def __init__(self, root: SparkSession):
        self._root = root._jsparkSession
        self._sc = root._sc
        self._jsc = root._jsc
        self._jvm = root._jvm

    @property
    def _jsparkSession(self) -> Any:
        return _of_flow.get() or self._root

    # PySpark caches `conf` and `catalog` on first use, which would bind them to the first flow's
    # session. Build them on each access.

    @property
    def conf(self) -> RuntimeConfig:
        """The configuration of the running flow."""
        return RuntimeConfig(self._jsparkSession.conf())

    @property
    def catalog(self) -> Catalog:
        """The catalog, with the temporary views of the running flow."""
        return Catalog(self)


@contextmanager
def own_session(spark: SparkSession, settings: Mapping[str, str]) -> Iterator[SparkSession]:
    """A clone of the session with `settings`, in place for this thread while the flow runs."""
    clone = spark._jsparkSession.cloneSession()
    for key, value in settings.items():
        clone.conf().set(key, value)
    java_class = _java_class(spark)
    before = java_class.getActiveSession()
    token = _of_flow.set(clone)
    java_class.setActiveSession(clone)
    try:
        yield spark
    finally:
        _of_flow.reset(token)
        if before.isDefined():
            java_class.setActiveSession(before.get())
        else:
            java_class.clearActiveSession()


@contextmanager
def pipeline_session(root: SparkSession) -> Iterator[SparkSession]:
    """Makes `builder.getOrCreate()` and `active()` give the pipeline's session for a while."""
    before = (SparkSession._instantiatedSession, SparkSession._activeSession)
    session = FlowSession(root)
    SparkSession._instantiatedSession = session
    SparkSession._activeSession = session
    try:
        yield session
    finally:
        SparkSession._instantiatedSession, SparkSession._activeSession = before


def in_flow_session(frame: DataFrame) -> DataFrame:
    """The frame's query in the session of this thread's flow.

    A frame made at module level belongs to the session of the files, so that neither the
    settings nor the views of a flow would hold for it.
    """
    session = _of_flow.get()
    if session is None or frame._jdf.sparkSession() == session:
        return frame
    dataset = frame.sparkSession._jvm.org.apache.spark.sql.classic.Dataset  # type: ignore[union-attr]
    return DataFrame(dataset.ofRows(session, frame._jdf.logicalPlan()), frame.sparkSession)


def _java_class(spark: SparkSession) -> Any:
    return SparkSession._get_j_spark_session_class(spark._jvm)
