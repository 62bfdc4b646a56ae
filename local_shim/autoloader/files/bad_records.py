"""What becomes of broken records: kept, dropped, an error (`mode`), or files (`badRecordsPath`)."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from uuid import uuid4

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType

from local_shim.autoloader.options.parse import CloudFilesOptions
from local_shim.autoloader.rescue import FILE_PATH, accepted


def with_accepted(
    frame: DataFrame, options: CloudFilesOptions, broken: str, *, loses_broken: bool = False
) -> DataFrame:
    """The records that the stream takes; `broken` is the text of a broken one, else NULL.

    With `loses_broken` the stream has no column for it.
    """
    if options.bad_records_path:
        return _without_bad_records(frame, broken, options.bad_records_path)
    condition = accepted(options, broken, loses_broken=loses_broken)
    return frame.where(condition) if condition else frame


def _without_bad_records(frame: DataFrame, broken: str, folder: str) -> DataFrame:
    """The frame without broken records, which are written below `folder` when it is read.

    Each run of a stream writes `<folder>/<time>/bad_records/part-…`: lines of JSON objects with
    `path`, `record` and `reason`. As on Databricks this is no transaction: a batch that is done
    again writes them again.
    """
    target = os.path.join(folder, f"{datetime.now(UTC):%Y%m%dT%H%M%S}", "bad_records")
    file = os.path.join(target, f"part-{uuid4()}")

    def keeps(path: str, record: str | None) -> bool:
        if record is None:
            return True
        os.makedirs(target, exist_ok=True)
        line = {"path": path, "record": record, "reason": "MALFORMED_RECORD_IN_PARSING"}
        with open(f"{file}-{os.getpid()}", "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        return False

    condition = F.udf(keeps, BooleanType(), useArrow=False).asNondeterministic()
    return frame.where(condition(F.expr(FILE_PATH), F.expr(broken)))
