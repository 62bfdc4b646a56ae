"""The commands for a deployed pipeline: `dlt-local remote`."""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from local_shim.cli.options import Json, Select, option, pairs, say

if TYPE_CHECKING:  # databricks-sdk is loaded only by the commands that need it
    from local_shim.remote.pipeline import DeployedPipeline

app = App(name="remote", help="Run the deployed pipeline in its workspace.", sort_key=8)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The options that say which deployed pipeline is meant."""

    bundle: Annotated[Path | None, option("DIR", "Folder of a databricks.yml.")] = None
    target: Annotated[str | None, option("T", "Target of the bundle.")] = None
    var: Annotated[
        tuple[str, ...], option("K=V", "Value of a bundle variable; may be repeated.")
    ] = ()
    pipeline: Annotated[str | None, option("KEY", "Pipeline of the bundle, if it has several.")] = (
        None
    )
    profile: Annotated[
        str | None, option("P", "Profile of ~/.databrickscfg (default: DATABRICKS_HOST).")
    ] = None

    def find(self) -> DeployedPipeline:
        """The pipeline in its workspace."""
        from local_shim.pipeline_spec.load import from_bundle
        from local_shim.remote.connection import connect
        from local_shim.remote.pipeline import find

        variables = pairs(self.var, "--var")
        spec = from_bundle(self.bundle or Path(), self.target, variables, self.pipeline)
        return find(connect(self.profile), spec.name)


@app.command
def run(
    *,
    deployed: Deployed = Deployed(),
    select: Select = Select(),
    validate: Annotated[bool, option(help="Only analyse the graph; write nothing.")] = False,
    json: Json = False,
) -> int:
    """Start an update and show its events until it ends; exit 1 if it fails."""
    pipeline = deployed.find()
    update_id = pipeline.start(select.selection(), validate)
    return _followed(pipeline, update_id, json)


@app.command
def logs(*, deployed: Deployed = Deployed(), json: Json = False) -> int:
    """Show the events of the newest update, until it ends; exit 1 if it failed."""
    pipeline = deployed.find()
    return _followed(pipeline, pipeline.latest_update(), json)


@app.command
def status(*, deployed: Deployed = Deployed()) -> None:
    """Show the state of the pipeline and of its latest updates."""
    pipeline = deployed.find()
    current = pipeline.status()
    say(f"{pipeline.name}  {current.state.value if current.state else 'UNKNOWN'}")
    for update in current.latest_updates or ():
        state = update.state.value if update.state else "UNKNOWN"
        say(f"  {update.update_id}  {state:<10} {update.creation_time}")


@app.command
def stop(*, deployed: Deployed = Deployed()) -> None:
    """Stop the active update."""
    deployed.find().stop()


@app.command
def diff(
    *,
    deployed: Deployed = Deployed(),
    storage: Annotated[
        Path | None, option("DIR", "Storage of the local run (default: the only one).")
    ] = None,
) -> int:
    """Compare the newest local update with the newest remote one; exit 1 if a figure differs."""
    from local_shim.cli.storages import open_storage
    from local_shim.events.journal import events
    from local_shim.remote.difference import differences, figures
    from local_shim.text_table import text_table

    local = figures(events(open_storage(storage), None, None, None))
    pipeline = deployed.find()
    remote = figures(pipeline.events(pipeline.latest_update()))
    rows = [
        (each.flow, each.figure, _number(each.local), _number(each.remote))
        for each in differences(local, remote)
    ]
    if not rows:
        say(f"no difference in {len({*local, *remote})} figures.")
        return 0
    say(text_table(("flow", "figure", "local", "remote"), rows, (False, False, True, True)))
    return 1


def _number(count: int | None) -> str:
    return "no such flow" if count is None else str(count)


def _followed(pipeline: DeployedPipeline, update_id: str, json: bool) -> int:
    state = pipeline.follow(update_id, _show_json if json else _show)
    return 0 if state == "COMPLETED" else 1


def _show_json(event: Mapping[str, Any]) -> None:
    say(json_text.dumps(event, ensure_ascii=False))


def _show(event: Mapping[str, Any]) -> None:
    say(
        f"{event['timestamp']}  {event.get('level', ''):<7} {event.get('event_type', ''):<20} "
        f"{event.get('message', '')}"
    )
