"""Shows an update while it runs: a table on a terminal, else a line for each flow."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from rich.console import Console
from rich.live import Live
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
        if self.live is not None:
            self.live.update(self._table())
        elif flow.status in ENDED and flow.status != "EXCLUDED":
            self._line(_line_of(flow))

    def _show_state(self, event: Event) -> None:
        if self.view.state == "RUNNING" and self.console.is_terminal:
            self.live = Live(self._table(), console=self.console, refresh_per_second=8)
            self.live.start()
        if self.view.state in ("COMPLETED", "FAILED", "CANCELED"):
            self._end(event.timestamp)

    def _end(self, time: datetime) -> None:
        if self.live is not None:
            self.live.update(self._table())
            self.live.stop()
            self.live = None
        counts = Counter(flow.status for flow in self.view.flows.values())
        flows = ", ".join(f"{count} {status.lower()}" for status, count in sorted(counts.items()))
        seconds = (time - (self.first or time)).total_seconds()
        style = "bold green" if self.view.state == "COMPLETED" else "bold red"
        state = self.view.state.lower()
        text = f"Update {state} in {seconds:.1f} s: {flows or 'no flows'}."
        self._line(Text(text, style=style))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("flow", "state", "rows", "quality", "time"):
            table.add_column(heading)
        for flow in self.view.flows.values():
            if flow.status not in ("QUEUED", "EXCLUDED"):
                table.add_row(*_cells(flow))
        waiting = sum(flow.status == "QUEUED" for flow in self.view.flows.values())
        table.caption = f"{waiting} waiting" if waiting else None
        return table

    def _line(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)


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
        return f"{flow.written:,} rows"
    deleted = f", {flow.deleted:,} deleted" if flow.deleted else ""
    return f"{flow.written:,} upserted{deleted}"


def _quality(flow: FlowView) -> str:
    parts = []
    if flow.dropped:
        parts.append(f"{flow.dropped:,} dropped")
    if flow.failed_checks:
        parts.append(f"{flow.failed_checks:,} broken rule{'' if flow.failed_checks == 1 else 's'}")
    return ", ".join(parts)
