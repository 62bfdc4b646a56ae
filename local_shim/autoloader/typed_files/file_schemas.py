"""The schema that a file itself carries."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from local_shim.autoloader.files.listing import SourceFile
from local_shim.autoloader.nested_types import evolve, shared
from local_shim.jvm.parquet import footer_schema
from local_shim.jvm.session import running_session


@lru_cache(maxsize=200_000)
def schema_of(file: SourceFile, kind: str, *, ignore_corrupt: bool = False) -> StructType:
    """The columns of the file of the format `kind`, read in the driver without a Spark job.

    A file that was deleted since it was listed has none, nor has a damaged one with
    `ignore_corrupt`. Else Java's error for a damaged file is raised.
    """
    session = running_session()
    assert session is not None
    try:
        return shared(_read_schema(session, file, kind))
    except Exception:
        if ignore_corrupt or not os.path.exists(file.path):
            return StructType([])
        raise


def _read_schema(session: SparkSession, file: SourceFile, kind: str) -> StructType:
    if kind == "parquet":  # Spark's own inference starts a job for each file
        return footer_schema(session, file.path)
    return session.read.format(kind).load(file.path).schema


def union_of_schemas(schemas: Iterable[StructType]) -> StructType:
    """The columns of all the schemas; one that several have keeps its first type."""
    union = StructType([])
    for schema in dict.fromkeys(schemas):
        union, _ = evolve(union, schema)
    return union
