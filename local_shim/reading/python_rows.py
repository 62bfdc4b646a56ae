"""`SparkSession.createDataFrame` with rows that Python code gives, such as a small lookup table.

Spark's plan does not show such rows. Noted here, they count as part of the query: a view of them
is computed again if they change, and not in each update.
"""

from __future__ import annotations

import hashlib
import time
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any

from pyspark.sql import Row

from local_shim.jvm.spark_plan import note_rows
from local_shim.reading.source_resolver import current_resolver

_SCALARS = (
    *(type(None), bool, int, float, str, bytes, bytearray, Decimal),
    *(date, datetime, time_of_day, timedelta),
)


def create_dataframe(original: Any) -> Any:
    """`SparkSession.createDataFrame`."""

    def call(*args: Any, **kwargs: Any) -> Any:
        frame = original(*args, **kwargs)
        rows = args[1] if len(args) > 1 else kwargs["data"]
        if current_resolver() is not None and _is_plain(rows):
            # Spark takes times without a zone for times of the machine's zone.
            text = repr((time.tzname, rows))
            note_rows(frame, hashlib.sha256(text.encode()).hexdigest())
        return frame

    return call


def _is_plain(value: Any) -> bool:
    """Whether the text that `repr` gives for a value tells it from all others."""
    if type(value) in _SCALARS:
        return True
    if type(value) is dict:
        return all(_is_plain(each) for pair in value.items() for each in pair)
    return type(value) in (list, tuple, Row) and all(_is_plain(each) for each in value)
