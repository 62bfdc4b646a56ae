"""`make demo`: from PostgreSQL commits to loss ratios, and proof that nothing was lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from demo.figures import show
from demo.insurer import Insurer, insurer
from demo.pictures.page import write_pictures
from demo.place import Place, here
from demo.reconcile import reconcile
from local_shim.errors import ShimError
from local_shim.jvm.session import open_session
from local_shim.pipeline_spec.load import from_bundle
from local_shim.report.progress import Progress
from local_shim.run import run
from local_shim.update.request import Request

console = Console(highlight=False)
DAYS_BEFORE = 5
DAYS_LATER = 3


def main() -> int:
    """The first run makes a book of business and two updates; each later run adds one day."""
    place = here()
    # The JVM needs some seconds to start; the database work does not need it.
    warm = threading.Thread(target=open_session, daemon=True)
    warm.start()
    with insurer(place) as source:
        if source.is_open():
            code = _one_more_day(place, source, warm)
        else:
            code = _from_the_beginning(place, source, warm)
        return code or _tell(place, source)


def _from_the_beginning(place: Place, source: Insurer, warm: threading.Thread) -> int:
    with _step("PostgreSQL: schema, an opening book of 3 years, 5 business days"):
        source.open(place)
        source.live(DAYS_BEFORE)
    with _step("DMS stand-in: full load of all tables"):
        _replicate(place, source)
    code = _update(place, warm)
    if code:
        return code
    with _step(f"PostgreSQL: {DAYS_LATER} more business days"):
        source.live(DAYS_LATER)
    with _step("DMS stand-in: the changes as CDC files"):
        _replicate(place, source)
    return _update(place, warm)


def _one_more_day(place: Place, source: Insurer, warm: threading.Thread) -> int:
    with _step("PostgreSQL: one more business day"):
        source.live(1)
    with _step("DMS stand-in: the changes as CDC files"):
        _replicate(place, source)
    return _update(place, warm)


def _replicate(place: Place, source: Insurer) -> None:
    """What `dlt-local dms run` does; the source goes by the environment, not the command line."""
    command = [sys.executable, "-m", "local_shim", "dms", "run", "--until-caught-up"]
    command += ["--task", str(place.task), "--target", str(place.landing)]
    environment = {**os.environ, "DLT_LOCAL_SOURCE": source.uri}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if process.returncode:
        raise SystemExit(process.stderr or process.stdout)


def _update(place: Place, warm: threading.Thread) -> int:
    """What `dlt-local run --bundle . --var landing=…` does."""
    warm.join()
    console.print("[bold]dlt-local run[/]: bronze → silver → gold")
    spec = from_bundle(place.project, None, {"landing": str(place.landing)}, None)
    progress = Progress(console)
    result = run(Request(spec, place.storage, listeners=(progress,)))
    for cause in progress.view.causes():
        console.print(cause, style="red", soft_wrap=True, markup=False)
    return result.exit_code


def _tell(place: Place, source: Insurer) -> int:
    show(place, console)
    with _step("Reconciliation: PostgreSQL against silver, silver against gold"):
        differences = reconcile(place, source)
    for line in differences:
        console.print(f"  [bold red]{line}[/]")
    if differences:
        console.print("[bold red]The books do not balance.[/]")
        return 1
    console.print("  [green]every row is there, and every sum agrees to the cent[/]")
    with _step("Pictures of the business: one page made of the gold tables"):
        pictures = write_pictures(place)
    console.print(f"  open {_short(pictures)} in a browser", soft_wrap=True, markup=False)
    _what_next(place)
    return 0


def _what_next(place: Place) -> None:
    storage = _short(place.storage)
    console.print(f"\nThe tables lie in {storage}/tables. Try next:")
    query = "SELECT * FROM gold_claim_kpi ORDER BY accident_year, segment"
    for line in (
        f'.venv/bin/dlt-local sql --storage {storage} "{query}"',
        f".venv/bin/dlt-local plan --var landing={_short(place.landing)} --storage {storage}",
        "make demo        (lives one more business day)",
    ):
        console.print(f"  {line}", soft_wrap=True, markup=False)


def _short(path: Path) -> str:
    return os.path.relpath(path)


@contextmanager
def _step(text: str) -> Iterator[None]:
    started = time.monotonic()
    with console.status(text):
        yield
    console.print(f"[bold]{text}[/]  [dim]{time.monotonic() - started:.1f} s[/]")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ShimError as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(error.exit_code)
