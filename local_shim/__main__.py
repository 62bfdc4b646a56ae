"""`python -m local_shim` is `dlt-local`."""

import sys

from local_shim.cli.app import main as _main


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    sys.exit(_main(sys.argv[1:]))


if __name__ == "__main__":
    main()
