"""The commands about one update of a pipeline: run, plan, explain."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from local_shim.cli.options import Files, How, Json, Select, Where, option, pairs, request, say
from local_shim.errors import ShimError, UsageError
from local_shim.events.event import Event
from local_shim.redaction import redacted

if TYPE_CHECKING:  # help must not wait for Spark
    from local_shim.report.update_view import UpdateView
    from local_shim.run import UpdateResult
    from local_shim.update.request import Request

_KEY = "Value of a key column; repeat it for each. Without it: all ties of the table."


def run(
    *files: Files,
    where: Where = Where(),
    select: Select = Select(),
    how: How = How(),
    continuous: Annotated[bool, option(help="Go on until stopped.")] = False,
    seconds: Annotated[
        float | None, option("SECONDS", "Stop a continuous update after this time.", "--for")
    ] = None,
    watch: Annotated[
        bool, option(help="Run again after each save of a source file or module, until Ctrl-C.")
    ] = False,
    json: Json = False,
    report: Annotated[
        Path | None, option("FILE", "Write the report as HTML at the end, also after a failure.")
    ] = None,
) -> int:
    """Run one update of a pipeline.

    Exit code: 0 completed, 1 a flow failed, 2 wrong use or wrong definitions.
    """
    from local_shim.report.update_view import UpdateView

    if seconds is not None and not continuous:
        raise UsageError("OPTION_CONFLICT", "--for goes with --continuous.")
    if watch and continuous:
        raise UsageError("OPTION_CONFLICT", "--watch goes without --continuous.")

    def read() -> Request:
        return replace(request(files, where, select, how), continuous=continuous, seconds=seconds)

    if watch:
        return _watch(read, json, report)
    return _update(read(), UpdateView(), _listener(json), report).exit_code


def plan(
    *files: Files, where: Where = Where(), select: Select = Select(), how: How = How()
) -> None:
    """Resolve, validate and show the graph; write nothing."""
    from rich.console import Console

    from local_shim.report.graph_text import render_plan
    from local_shim.run import plan_only

    picture = render_plan(plan_only(request(files, where, select, how)))
    console = Console(highlight=False)  # colours on a terminal, plain text elsewhere
    with console.capture() as text:
        console.print(picture)
    say("\n".join(line.rstrip() for line in text.get().splitlines()))


def explain(
    table: Annotated[str, option(help="The target.")],
    /,
    *files: Files,
    key: Annotated[tuple[str, ...], option("K=V", _KEY)] = (),
    where: Where = Where(),
    select: Select = Select(),
    how: How = How(),
) -> None:
    """Show every change of one key, and what it did to an AUTO CDC target."""
    from local_shim.explain import explain_table

    say(explain_table(request(files, where, select, how), table, pairs(key, "--key")))


def _update(
    update: Request, view: UpdateView, listener: Callable[[Event], None], report: Path | None
) -> UpdateResult:
    """Runs an update, prints why it failed, and writes its report; `view` gets its events."""
    from local_shim.run import run as run_update

    listeners = (listener, lambda event: view.add(event.as_record()))
    try:
        result = run_update(replace(update, listeners=listeners))
    finally:
        if report and view.state:  # without a state, nothing was started and there is no journal
            _write_report(update, view, report)
    for line in view.causes():
        print(line, file=sys.stderr)  # noqa: T201
    return result


def _watch(read: Callable[[], Request], json: bool, report: Path | None) -> int:
    """A line for each update, with the file that was saved; only the events with `json`."""
    from local_shim.report.progress import summary
    from local_shim.report.update_view import UpdateView
    from local_shim.watch.cycles import watch

    view, code = UpdateView(), 0

    def update(current: Request) -> UpdateResult:
        nonlocal view
        view = UpdateView()
        return _update(current, view, _listener(json) if json else lambda _: None, report)

    with suppress(KeyboardInterrupt):
        for cycle in watch(read, update):
            code, text = cycle.outcome.exit_code, "Nothing was run."
            if isinstance(cycle.outcome, ShimError):
                print(redacted(str(cycle.outcome)), file=sys.stderr)  # noqa: T201
            else:
                text = summary(view, cycle.seconds)
            if not json:
                say(f"{cycle.saved} saved. {text}" if cycle.saved else text)
    return code


def _listener(json: bool) -> Callable[[Event], None]:
    from rich.console import Console

    from local_shim.report.progress import Progress

    if not json:
        return Progress(Console(highlight=False))
    return lambda event: say(event.as_json())


def _write_report(update: Request, view: UpdateView, file: Path) -> None:
    from local_shim.report.report_file import stored_document, write_report
    from local_shim.storage import Storage

    storage = Storage(update.storage, update.spec.key)
    write_report(stored_document(storage, view.origin["update_id"]), "html", file)
