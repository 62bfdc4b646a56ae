"""The older ways to read, for files written before `spark.read.table` did it all."""

from __future__ import annotations

from pyspark.sql import DataFrame

from local_shim.reading.interception import session


def read(name: str) -> DataFrame:
    """All rows of a dataset (older spelling of `spark.read.table`)."""
    return session().read.table(name)


def read_stream(name: str) -> DataFrame:
    """The new rows of a dataset (older spelling of `spark.readStream.table`)."""
    return session().readStream.table(name)
