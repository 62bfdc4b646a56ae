"""`make bench`: every benchmark, one after the other, each against a peer in the same run.

`python benchmarks/NAME.py --help` tells how to run one of them at another size.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Runs all benchmarks; ends with the first that cannot run."""
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        print(f"\n== {path.stem} ==", flush=True)
        code = subprocess.run([sys.executable, str(path)], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
