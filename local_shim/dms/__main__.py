"""`python -m local_shim.dms`: the stand-in without the rest of `dlt-local`."""

from __future__ import annotations

import argparse
import sys

from local_shim.dms.command import add_arguments, run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m local_shim.dms", description=__doc__)
    add_arguments(parser)
    sys.exit(run(parser.parse_args()))
