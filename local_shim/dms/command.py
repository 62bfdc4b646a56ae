"""`dlt-local dms`: the stand-in on the command line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local_shim.dms import run_task, status
from local_shim.dms.clock import Clock
from local_shim.dms.session import opened
from local_shim.dms.source.connection import hide_password
from local_shim.dms.stopping import Stop
from local_shim.dms.task import Task, load_task
from local_shim.errors import ShimError

_ACTIONS = {
    "full-load": "copy all selected tables from one snapshot; the slot keeps later changes",
    "cdc": "write changes until stopped",
    "run": "the full load unless it was done, then changes until stopped",
    "status": "slot lag, rows by table and operation",
    "drop": "drop the slot and forget the position; files stay",
}


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Hang `dms` into the command line."""
    parser = subparsers.add_parser("dms", help="the DMS stand-in: PostgreSQL into DMS files")
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `dlt-local dms` and of `python -m local_shim.dms`."""
    actions = parser.add_subparsers(dest="dms_action", required=True, metavar="ACTION")
    for name, text in _ACTIONS.items():
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument(
            "--task", type=Path, required=True, metavar="DIR", help="the task's JSON documents"
        )
        action.add_argument(
            "--source",
            default=os.environ.get("DLT_LOCAL_SOURCE", ""),
            metavar="URI",
            help="libpq URI or service=NAME; default $DLT_LOCAL_SOURCE, then libpq's environment",
        )
        action.add_argument(
            "--target",
            type=Path,
            default=Path(".dlt-local/bucket"),
            metavar="DIR",
            help="the folder that stands for the bucket (default %(default)s)",
        )
        if name in ("cdc", "run"):
            action.add_argument(
                "--until-caught-up",
                action="store_true",
                help="end when the changes present at the start are written",
            )


def run(args: argparse.Namespace) -> int:
    """Carry out one action; 0 done, 1 the task failed, 2 wrong use."""
    try:
        task = load_task(args.task, args.source, args.target)
        hide_password(task.source)
        _act(task, args)
        return 0
    except ShimError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        _report("stopped before the full load was complete; nothing of it was published")
        return 1


def _act(task: Task, args: argparse.Namespace) -> None:
    clock = Clock()
    if args.dms_action == "status":
        sys.stdout.write(status.render(status.task_status(task, clock)))
        return
    if args.dms_action == "drop":
        run_task.drop(task, _report)
        return
    with opened(task, clock, _report) as session:
        fresh = session.state.phase != "running"
        if args.dms_action == "full-load" or (args.dms_action == "run" and fresh):
            run_task.full_load(session)  # a signal ends it, and nothing of it is seen
        if args.dms_action != "full-load":
            stop = Stop()
            stop.on_signals()
            run_task.replicate(session, stop, until_caught_up=args.until_caught_up)


def _report(text: str) -> None:
    sys.stderr.write(f"dms: {text}\n")
    sys.stderr.flush()
