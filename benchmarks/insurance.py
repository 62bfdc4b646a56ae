"""What a large book costs: the insurance pipeline on its full load, and on one more business day.

    .venv/bin/python -m benchmarks.insurance [--policies 100000] [--folder DIR]

The insurer of init_sql is founded three years ago and has so many policies in force at the end,
with some forty rows in the ledgers for each. The DMS stand-in writes its tables as files; what is
measured are the two updates, whole commands with the start of Python and Java. With --folder, the
database and the files stay there and the next call goes on from them with new tables.
Bars at 100,000 policies: 360 s, 90 s for the day, 6 GiB.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.pipelines.machine import Cost, measure
from benchmarks.pipelines.page import markdown_table, publish
from benchmarks.pipelines.results import Measured, Measurement
from demo.insurer import Insurer, insurer
from demo.place import Place
from local_shim.delta.log import size
from local_shim.dms.server import forget
from local_shim.events.journal import events
from local_shim.graph.names import TableName
from local_shim.report.update_view import FlowView, UpdateView
from local_shim.storage import Storage

_POLICIES = 100_000  # the size that the bars are about
_PARTIES_PER_POLICY = 1.17
_PROJECT = Path(__file__).parents[1]
_SLOWEST = 15


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policies", type=int, default=_POLICIES)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with _place(options.folder) as place:
        measurements = _measure(place, options.policies)
    if options.policies == _POLICIES:
        publish(measurements)


@contextmanager
def _place(folder: Path | None) -> Iterator[Place]:
    """The folder of a book that stays, or of one that is removed at the end."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield Place(folder.absolute(), _PROJECT)
        return
    place = Place(Path(tempfile.mkdtemp(prefix="insurance-bench-", dir="/var/tmp")), _PROJECT)
    place.root.chmod(0o755)  # the server of root runs as another user
    try:
        yield place
    finally:
        forget(place.data)
        shutil.rmtree(place.root)


def _measure(place: Place, policies: int) -> list[Measurement]:
    """The first update of new tables, and one after another business day."""
    shutil.rmtree(place.storage, ignore_errors=True)
    with insurer(place) as source:
        if not source.is_open():
            source.open(place, parties=round(policies * _PARTIES_PER_POLICY))
        _replicate(place, source)
        first = _update(place)
        source.live(1)
        _replicate(place, source)
    day = _update(place)
    works = {"first update": first, "one more day": day}
    return [
        Measurement(Measured("insurance", work, "dlt-local"), 0, 1, policies, cost)
        for work, cost in works.items()
    ]


def _replicate(place: Place, source: Insurer) -> None:
    """The full load, or the changes since, as files."""
    command = [sys.executable, "-m", "local_shim", "dms", "run", "--until-caught-up"]
    command += ["--task", str(place.task), "--target", str(place.landing)]
    environment = {**os.environ, "DLT_LOCAL_SOURCE": source.uri}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def _update(place: Place) -> Cost:
    """Runs an update as `dlt-local run` does and prints what it cost, and its slowest datasets."""
    command: list[str | Path] = [sys.executable, "-m", "local_shim", "run"]
    command += ["--bundle", place.project, "--var", f"landing={place.landing}"]
    command += ["--storage", place.storage]
    ended = measure(command, place.project)
    if ended.code:
        raise SystemExit(ended.output[-3000:])
    cost = ended.cost
    print(f"\n{cost.wall:.0f} s, cpu {cost.cpu:.0f} s, peak {cost.memory:,} MB, "
          f"others {cost.others:.0%}")  # fmt: skip
    print(_slowest(place), flush=True)
    return cost


def _slowest(place: Place) -> str:
    """The slowest datasets of the latest update, with what they wrote and read."""
    storage = Storage(place.storage, "insurance")
    view = UpdateView(events(storage, None, None, None))
    flows = sorted(view.flows.values(), key=lambda flow: flow.seconds or 0, reverse=True)
    rows = [_row(storage, view, flow) for flow in flows[:_SLOWEST]]
    return markdown_table(["Dataset", "Seconds", "Rows written", "Reads (MB)"], rows)


def _row(storage: Storage, view: UpdateView, flow: FlowView) -> list[str]:
    names = [TableName(*name.split(".")) for name in view.definitions[flow.name]["input_datasets"]]
    tables = {name.table: storage.table(name) for name in names if storage.has_table(name)}
    inputs = [f"{name} {size(folder) / 2**20:.0f}" for name, folder in tables.items()]
    dataset = flow.dataset.rpartition(".")[2]
    return [dataset, f"{flow.seconds or 0:.1f}", f"{flow.written:,}", ", ".join(inputs)]


if __name__ == "__main__":
    main()
