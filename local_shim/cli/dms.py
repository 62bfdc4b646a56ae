"""The commands of the DMS stand-in: `dlt-local dms`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from local_shim.cli.options import option, say

if TYPE_CHECKING:  # psycopg2 is loaded only by the commands that need it
    from local_shim.dms.command import Output
    from local_shim.dms.task import Task

app = App(name="dms", help="Copy PostgreSQL into files as AWS DMS writes them.", sort_key=9)
CaughtUp = Annotated[bool, option(help="End when the changes present at the start are written.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """The options that say which task is meant."""

    task: Annotated[Path, option("DIR", "Folder of the task's JSON documents.")]
    source: Annotated[
        str,
        option(
            "URI",
            "libpq URI or service=NAME (default: $DLT_LOCAL_SOURCE, then libpq's environment).",
        ),
    ] = ""
    target: Annotated[
        Path, option("DIR", "The folder that stands for the bucket (default: .dlt-local/bucket).")
    ] = Path(".dlt-local/bucket")

    def load(self) -> Task:
        """The task; its password is no longer seen in the process list."""
        from local_shim.dms.source.connection import hide_password
        from local_shim.dms.task import load_task

        source = self.source or os.environ.get("DLT_LOCAL_SOURCE", "")
        task = load_task(self.task, source, self.target)
        hide_password(task.source)
        return task


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """The options that say what is printed while a task runs."""

    quiet: Annotated[bool, option(help="Print no line for each file.")] = False
    json: Annotated[bool, option(help="Print files and messages as JSON lines.")] = False

    def output(self) -> Output:
        """The same for the task."""
        from local_shim.dms.command import Output

        return Output(self.quiet, self.json)


@app.command
def full_load(*, options: TaskOptions, printed: OutputOptions = OutputOptions()) -> None:
    """Copy all selected tables from one snapshot; the slot keeps later changes."""
    from local_shim.dms import command

    command.full_load(options.load(), printed.output())


@app.command
def cdc(
    *,
    options: TaskOptions,
    printed: OutputOptions = OutputOptions(),
    until_caught_up: CaughtUp = False,
) -> None:
    """Write changes until stopped."""
    from local_shim.dms import command

    command.cdc(options.load(), printed.output(), until_caught_up=until_caught_up)


@app.command
def run(
    *,
    options: TaskOptions,
    printed: OutputOptions = OutputOptions(),
    until_caught_up: CaughtUp = False,
) -> None:
    """Do the full load unless it was done, then write changes until stopped."""
    from local_shim.dms import command

    command.run(options.load(), printed.output(), until_caught_up=until_caught_up)


@app.command
def status(
    *, options: TaskOptions, json: Annotated[bool, option(help="Print it as JSON.")] = False
) -> None:
    """Show the slot's lag, and rows by table and operation."""
    from local_shim.dms import command

    say(command.status(options.load(), as_json=json).rstrip())


@app.command
def drop(*, options: TaskOptions) -> None:
    """Drop the slot and forget the position; files stay."""
    from local_shim.dms import command

    command.drop(options.load())
