"""Shows an update while it runs: a line for each flow that ended.

On a terminal, the running flows and a progress bar over all flows follow below these lines.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local_shim.events.event import Event, EventType, Level
from local_shim.report.update_view import ENDED, FlowView, UpdateView

_STYLE = {
    "RUNNING": "cyan",
    "COMPLETED": "green",
    "FAILED": "bold red",
    "SKIPPED": "yellow",
    "STOPPED": "yellow",
    "QUEUED": "dim",
    "EXCLUDED": "dim",
}

_BAR = 40  # characters


class Progress:
    """A listener that shows the events of an update."""

    def __init__(self, console: Console):
        self.console = console
        self.view = UpdateView()
        self.first: datetime | None = None
        self.live: Live | None = None

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        self.view.add(event.as_record())
        self.first = self.first or event.timestamp
        if event.event_type is EventType.FLOW_PROGRESS:
            self._show_flow(self.view.flows[str(event.origin["flow_name"])])
        elif event.event_type is EventType.UPDATE_PROGRESS:
            self._show_state(event)
        elif event.level is Level.WARN:
            self._line(Text(f"  warning: {event.message}", style="yellow"))

    def _show_flow(self, flow: FlowView) -> None:
        if flow.status not in ENDED or flow.status == "EXCLUDED":
            return
        line = _line_of(flow)
        if flow.status == "SKIPPED":
            causes = [
                _short_name(self.view.flows[each]) for each in self.view.failed_ancestors(flow.name)
            ]
            line.append(f"  because {' and '.join(causes)} failed" if causes else "", "dim")
        self._line(line)

    def _show_state(self, event: Event) -> None:
        if self.view.state == "RUNNING" and self.console.is_terminal:
            self.live = Live(get_renderable=self._picture, console=self.console, transient=True)
            self.live.start()
        if self.view.state in ("COMPLETED", "FAILED", "CANCELED"):
            self._end(event.timestamp)

    def close(self) -> None:
        """Removes the picture of the running flows, also when an update is no longer followed."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _end(self, time: datetime) -> None:
        self.close()
        seconds = (time - (self.first or time)).total_seconds()
        style = "bold green" if self.view.state == "COMPLETED" else "bold red"
        self._line(Text(summary(self.view, seconds), style=style))

    def _picture(self) -> RenderableType:
        """A line for each running flow with its elapsed time, and a bar over all flows."""
        flows = [flow for flow in list(self.view.flows.values()) if flow.status != "EXCLUDED"]
        now = datetime.now(UTC)
        lines = [
            Text(f"  running     {_short_name(flow)}  {_elapsed(now - flow.started)}", "cyan")
            for flow in flows
            if flow.started is not None and flow.ended is None
        ]
        ended = sum(flow.status in ENDED for flow in flows)
        failed = sum(flow.status == "FAILED" for flow in flows)
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=max(1, len(flows)), completed=ended, width=_BAR),
            Text(f"{ended} of {len(flows)} flows  {_elapsed(now - (self.first or now))}"),
            Text(f"{failed} failed" if failed else "", style="bold red"),
        )
        return Group(*lines, bar)

    def _line(self, text: Text) -> None:
        if self.live is not None:
            self.live.refresh()  # removes the flow that ended from the picture
        self.console.print(text, soft_wrap=True)


def summary(view: UpdateView, seconds: float) -> str:
    """How an update ended, and how many flows ended in which way, in one line."""
    counts = Counter(flow.status for flow in view.flows.values())
    flows = ", ".join(f"{count} {status.lower()}" for status, count in sorted(counts.items()))
    return f"Update {view.state.lower()} in {seconds:.1f} s: {flows or 'no flows'}."


def _elapsed(time: timedelta) -> str:
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    return f"{minutes}:{seconds:02} min" if minutes else f"{seconds} s"


def _cells(flow: FlowView) -> tuple[Text, ...]:
    return (
        Text(_short_name(flow)),
        Text(flow.status.lower(), style=_STYLE.get(flow.status, "")),
        Text(_rows(flow), justify="right"),
        Text(_quality(flow), style="yellow"),
        Text("" if flow.seconds is None else f"{flow.seconds:.1f} s", style="dim"),
    )


def _short_name(flow: FlowView) -> str:
    """The flow without its catalog; a flow called like its table is shown as the table."""
    table = flow.dataset.split(".")[-1]
    return (flow.dataset if flow.name == table else flow.name).split(".", 1)[-1]


def _line_of(flow: FlowView) -> Text:
    name, state, *others = _cells(flow)
    line = Text("  ").append_text(state)
    line.pad_right(12 - len(state.plain))
    line.append(name.plain)
    for cell in others:
        if cell.plain:
            line.append("  ").append_text(cell)
    return line


def _rows(flow: FlowView) -> str:
    if not flow.metrics:
        return ""
    if "num_upserted_rows" not in flow.metrics:
        return _count(flow.written, "row")
    deleted = f", {flow.deleted:,} deleted" if flow.deleted else ""
    return f"{flow.written:,} upserted{deleted}"


def _quality(flow: FlowView) -> str:
    parts = []
    if flow.dropped:
        parts.append(f"{flow.dropped:,} dropped")
    if flow.broken_rules:
        parts.append(_count(flow.broken_rules, "broken rule"))
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
