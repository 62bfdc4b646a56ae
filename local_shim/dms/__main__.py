"""`python -m local_shim.dms ACTION …`: the same as `dlt-local dms ACTION …`."""

from __future__ import annotations

import runpy
import sys

if __name__ == "__main__":
    sys.argv.insert(1, "dms")
    runpy.run_module("local_shim", run_name="__main__", alter_sys=True)
