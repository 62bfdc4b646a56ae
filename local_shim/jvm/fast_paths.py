"""One switch for everything that leaves the documented ways of Spark and Delta to save time."""

from __future__ import annotations

import os

VARIABLE = "DLT_LOCAL_FAST_PATHS"


def fast_paths_enabled() -> bool:
    """False if the environment variable `DLT_LOCAL_FAST_PATHS` is `off`.

    Then tables are created, read and appended to by Delta's usual connector, AUTO CDC writes by
    append, overwrite and MERGE, no file is read by the list in a checksum, and sessions have the
    settings for large data. Results are the same; updates take longer.
    """
    return os.environ.get(VARIABLE, "").lower() not in ("off", "false", "0")
