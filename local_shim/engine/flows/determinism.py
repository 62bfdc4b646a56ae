"""Whether a query must give the same rows when its inputs are the same."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import DataFrame

from local_shim.jvm.spark_plan import delta_folders, is_deterministic


def repeatable(frame: DataFrame, known: Collection[str]) -> bool:
    """Whether the same versions of the `known` Delta folders must give the same rows.

    A view of which this holds need not be computed again while these versions stay.
    """
    folders = delta_folders(frame)
    return folders is not None and folders <= set(known) and is_deterministic(frame)
