"""`make bench`: every benchmark, each against a peer in the same run.

    python -m benchmarks [CASE…] [--rounds N] [--tables N] [--rows N] [--runner NAME…]

A CASE is one of benchmarks/pipelines/cases.py or a script of this folder, such as `cdc`
(`python -m benchmarks.cdc --help` tells how to run one at another size). Without CASE: all.
Figures of cases at their own size are stored in benchmarks/results and docs/performance.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.pipelines.cases import CASES, Case, CommandFailed
from benchmarks.pipelines.page import write_page
from benchmarks.pipelines.results import RESULTS, Measurement, ResultFile, read_runs, this_run
from benchmarks.pipelines.runners import RUNNERS

SCRIPTS = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main() -> int:
    """Runs the named benchmarks, or all; 1 if one of them could not run to its end."""
    options = _options()
    names = options.case or [*(case.name for case in CASES), *SCRIPTS]
    cases = [case for case in CASES if case.name in names]
    failed = bool(cases) and _measure(cases, options)
    for name in names:
        if name in SCRIPTS:
            print(f"\n== {name} ==", flush=True)
            command = [sys.executable, "-m", f"benchmarks.{name}"]
            failed |= subprocess.run(command, check=False).returncode != 0
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    choices = [*(case.name for case in CASES), *SCRIPTS]
    parser.add_argument("case", nargs="*", metavar="CASE", help=", ".join(choices))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--tables", type=int)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--runner", nargs="*", choices=[runner.name for runner in RUNNERS])
    options = parser.parse_args()
    unknown = set(options.case) - set(choices)
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(choices)}")
    return options


def _measure(cases: list[Case], options: argparse.Namespace) -> bool:
    """Measures the cases and stores the results; gives whether one could not run to its end."""
    own_size = options.tables is None and options.rows is None
    sizes = {name: getattr(options, name) for name in ("rounds", "tables", "rows")}
    changes = {name: value for name, value in sizes.items() if value is not None}
    runners = [each for each in RUNNERS if not options.runner or each.name in options.runner]
    file = ResultFile(RESULTS, this_run()) if own_size else None
    failed = False
    for case in cases:
        size = replace(case.size, **changes)
        print(f"\n== {case.title}: {size.tables} tables of {size.rows} rows ==", flush=True)
        try:
            for measurement in case.measure(size, runners):
                print(_line(measurement), flush=True)
                if file:
                    file.add([measurement])
        except CommandFailed as error:
            print(error, file=sys.stderr)
            failed = True
    if file:
        write_page(read_runs(RESULTS))
    return failed


def _line(measurement: Measurement) -> str:
    measured, cost = measurement.measured, measurement.cost
    return (
        f"{measured.work:<16} {measured.runner:<22} {cost.wall:7.1f} s  cpu {cost.cpu:7.1f} s"
        f"  {cost.memory:6,} MB  others {cost.others:4.0%}"
    )


if __name__ == "__main__":
    sys.exit(main())
