"""The command line: arguments in, exit code out.

0 completed; 1 the update ran and failed; 2 wrong use, or definitions that do not resolve.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from local_shim.dms import command as dms_command
from local_shim.errors import ShimError, UsageError, close_match
from local_shim.events.event import Event
from local_shim.events.journal import events
from local_shim.pipeline_spec.load import from_bundle, from_files, from_spark_spec
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.storage import Storage

if TYPE_CHECKING:  # Spark is imported only by the commands that need it: help must be instant
    from local_shim.run import Request


def main(arguments: Sequence[str]) -> int:
    """Carries out one command; errors of ours are told without a traceback."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.command(options)
        return code
    except ShimError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped; run the same command to go on", file=sys.stderr)  # noqa: T201
        return 1


# --- the commands -----------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    from local_shim.report.causes import Causes
    from local_shim.run import run

    if options.seconds is not None and not options.continuous:
        raise UsageError("OPTION_CONFLICT", "--for goes with --continuous.")
    causes = Causes()
    request = replace(
        _request(options),
        listeners=(_listener(options), causes),
        continuous=options.continuous,
        seconds=options.seconds,
    )
    code = run(request)
    for line in causes.lines():
        print(line, file=sys.stderr)  # noqa: T201
    return code


def _plan(options: argparse.Namespace) -> int:
    from local_shim.report.graph_text import render_plan
    from local_shim.run import plan_only

    _say(render_plan(plan_only(_request(options))))
    return 0


def _explain(options: argparse.Namespace) -> int:
    from local_shim.explain import explain_table

    _say(explain_table(_request(options), options.table, _pairs(options.key, "--key")))
    return 0


def _events(options: argparse.Namespace) -> int:
    storage = _storage(options)
    for record in events(storage, options.update, options.type, options.level):
        if options.json:
            _say(json.dumps(record, ensure_ascii=False))
        else:
            _say(
                f"{record['timestamp']}  {record['level']:<7} {record['event_type']:<20} "
                f"{record['message']}"
            )
    return 0


def _sql(options: argparse.Namespace) -> int:
    from local_shim.query import answer

    text = Path(options.file).read_text() if options.file else options.text
    if not text:
        raise UsageError("NO_QUERY", "give a query, or a file with -f.")
    _say(answer(_storage(options), text, options.format))
    return 0


def _export(options: argparse.Namespace) -> int:
    from local_shim.query import export

    for path in export(_storage(options), options.tables, Path(options.to), options.format):
        _say(str(path))
    return 0


# --- from options to nouns --------------------------------------------------------------------


def _request(options: argparse.Namespace) -> Request:
    from local_shim.graph.plan import Selection
    from local_shim.run import Request

    spec = _spec(options)
    selection = Selection(
        _names(options.refresh),
        _names(options.full_refresh),
        options.full_refresh_all,
        _names(options.reset_checkpoint),
    )
    return Request(
        spec, _storage_folder(options, spec.key), selection, _pairs(options.path, "--path")
    )


def _spec(options: argparse.Namespace) -> PipelineSpec:
    configuration = _pairs(options.conf, "--conf")
    ways = [bool(options.files), bool(options.spec), bool(options.bundle)]
    if sum(ways) > 1:
        raise UsageError("WHERE_CONFLICT", "give one of FILES, --spec and --bundle.")
    if options.files:
        spec = from_files(options.files, options.catalog, options.schema, {})
    elif options.spec:
        spec = from_spark_spec(Path(options.spec))
    else:
        variables = _pairs(options.var, "--var")
        spec = from_bundle(Path(options.bundle or "."), options.target, variables, options.pipeline)
    return replace(spec, configuration={**spec.configuration, **configuration})


def _pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError("OPTION_WITHOUT_VALUE", f"{option} takes KEY=VALUE, not '{text}'.")
        pairs[key] = value
    return pairs


def _names(texts: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for text in texts or () for name in text.split(",") if name.strip())


def _storage_folder(options: argparse.Namespace, pipeline: str) -> Path:
    return Path(options.storage) if options.storage else Path(".dlt-local") / pipeline


def _storage(options: argparse.Namespace) -> Storage:
    """An existing storage; the pipeline's name is that of the only one that ever ran there."""
    if options.storage:
        folder = Path(options.storage)
    else:
        folders = sorted(path for path in Path(".dlt-local").glob("*") if path.is_dir())
        if len(folders) != 1:
            raise UsageError(
                "STORAGE_NOT_GIVEN",
                f"{len(folders)} storages lie in .dlt-local.",
                hint="name one with --storage DIR",
            )
        folder = folders[0]
    if not (folder / "system").is_dir() and not (folder / "tables").is_dir():
        raise UsageError(
            "STORAGE_NOT_FOUND", f"'{folder}' is no storage.", hint="run a pipeline first"
        )
    pipelines = sorted(path.name for path in (folder / "system" / "journal").glob("*"))
    chosen = getattr(options, "pipeline", None) or (pipelines[0] if pipelines else "")
    if pipelines and chosen not in pipelines:
        raise UsageError(
            "PIPELINE_NOT_FOUND",
            f"no pipeline '{chosen}' ran there.",
            hint=close_match(chosen, pipelines),
        )
    return Storage(folder, chosen)


def _listener(options: argparse.Namespace) -> Callable[[Event], None]:
    from local_shim.report.progress import Progress

    if not options.json:
        return Progress(Console(highlight=False))

    def print_json(event: Event) -> None:
        _say(event.as_json())

    return print_json


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


# --- the parser -------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    found = argparse.ArgumentParser(
        prog="dlt-local", description="Runs Delta Live Tables pipelines on this machine."
    )
    commands = found.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="one update of a pipeline")
    _add_where(run)
    run.add_argument("--continuous", action="store_true", help="go on until stopped")
    run.add_argument(
        "--for", dest="seconds", type=float, metavar="SECONDS", help="with --continuous"
    )
    run.add_argument("--json", action="store_true", help="events as JSON lines")
    run.set_defaults(command=_run)
    plan = commands.add_parser("plan", help="resolve, validate and show; writes nothing")
    _add_where(plan)
    plan.set_defaults(command=_plan)
    explain = commands.add_parser("explain", help="every change of one key, and what it did")
    explain.add_argument("table", metavar="TABLE")
    explain.add_argument("--key", action="append", metavar="K=V", help="without: all ties")
    _add_where(explain)
    explain.set_defaults(command=_explain)
    _add_events(commands.add_parser("events", help="what happened in an update"))
    _add_sql(commands.add_parser("sql", help="a query over the storage"))
    _add_export(commands.add_parser("export", help="tables as files"))
    dms_command.add_parser(commands).set_defaults(command=dms_command.run)
    return found


def _add_where(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument_group("where the pipeline is (default: the bundle here)")
    where.add_argument("files", nargs="*", metavar="FILES", help="source files or globs")
    where.add_argument("--catalog", default="main", metavar="C")
    where.add_argument("--schema", default="default", metavar="S")
    where.add_argument("--bundle", metavar="DIR")
    where.add_argument("--target", metavar="T")
    where.add_argument("--var", action="append", metavar="K=V")
    where.add_argument("--pipeline", metavar="KEY")
    where.add_argument("--spec", metavar="FILE", help="a spark-pipeline.yml")
    select = parser.add_argument_group("what to run (default: refresh everything)")
    select.add_argument("--refresh", action="append", metavar="a,b")
    select.add_argument("--full-refresh", action="append", metavar="a,b")
    select.add_argument("--full-refresh-all", action="store_true")
    select.add_argument("--reset-checkpoint", action="append", metavar="a,b")
    _add_storage(parser)
    parser.add_argument("--conf", action="append", metavar="K=V", help="pipeline configuration")
    parser.add_argument("--path", action="append", metavar="FROM=TO", help="folder for a prefix")


def _add_storage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--storage", metavar="DIR", help="default: .dlt-local/<pipeline>")


def _add_events(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--update", metavar="ID", help="default: the newest")
    parser.add_argument("--type", metavar="T")
    parser.add_argument("--level", metavar="L")
    parser.add_argument("--pipeline", metavar="KEY")
    parser.add_argument("--json", action="store_true")
    _add_storage(parser)
    parser.set_defaults(command=_events)


def _add_sql(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="?", metavar="QUERY")
    parser.add_argument("-f", "--file", metavar="FILE")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table")
    _add_storage(parser)
    parser.set_defaults(command=_sql)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tables", nargs="*", metavar="TABLE")
    parser.add_argument("--to", required=True, metavar="DIR")
    parser.add_argument("--format", choices=("jsonl", "csv", "parquet"), default="jsonl")
    _add_storage(parser)
    parser.set_defaults(command=_export)
