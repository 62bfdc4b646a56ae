"""What a person sees while an update runs: a line for each thing worth knowing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local_shim.events.event import Event, Level

_STYLE = {
    "RUNNING": "cyan",
    "COMPLETED": "green",
    "FAILED": "bold red",
    "SKIPPED": "yellow",
    "QUEUED": "dim",
    "EXCLUDED": "dim",
}
_ENDED = ("COMPLETED", "FAILED", "SKIPPED", "EXCLUDED")


class Progress:
    """Listens to events and shows them: a table that changes on a terminal, else plain lines."""

    def __init__(self, console: Console):
        self.console = console
        self.started = time.monotonic()
        self.flows: dict[str, dict[str, Any]] = {}
        self.live: Live | None = None

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        if event.event_type == "flow_progress":
            self._flow(event)
        elif event.event_type == "update_progress":
            self._update(str(event.details["state"]))
        elif event.level is Level.WARN:
            self._line(Text(f"  warning: {event.message}", style="yellow"))

    def _flow(self, event: Event) -> None:
        name = str(event.origin["flow_name"])
        entry = self.flows.setdefault(name, {"rows": "", "dropped": 0, "failed": 0})
        now = time.monotonic()
        status = str(event.details["status"])
        if status in ("STARTING", "RUNNING"):
            entry.setdefault("since", now)
        entry["status"] = status
        self._count(entry, event.details)
        if status in _ENDED:
            entry["seconds"] = now - entry.get("since", now)
            if self.live is None and status != "EXCLUDED":
                self._line(self._text(name, entry))
        if self.live is not None:
            self.live.update(self._table())

    def _count(self, entry: dict[str, Any], details: Mapping[str, Any]) -> None:
        quality = details.get("data_quality")
        if quality:
            entry["dropped"] += quality["dropped_records"]
            entry["failed"] += sum(each["failed_records"] for each in quality["expectations"])
        metrics = details.get("metrics")
        if metrics and "num_upserted_rows" in metrics:
            entry["rows"] = f"{metrics['num_upserted_rows']:,} upserted"
            if metrics["num_deleted_rows"]:
                entry["rows"] += f", {metrics['num_deleted_rows']:,} deleted"
        elif metrics:
            entry["rows"] = f"{metrics.get('num_output_rows', 0):,} rows"

    def _update(self, state: str) -> None:
        if state == "RUNNING" and self.console.is_terminal:
            self.live = Live(self._table(), console=self.console, refresh_per_second=8)
            self.live.start()
        if state in ("COMPLETED", "FAILED", "CANCELED"):
            self._end(state)

    def _end(self, state: str) -> None:
        if self.live is not None:
            self.live.update(self._table())
            self.live.stop()
            self.live = None
        counts = Counter(entry["status"] for entry in self.flows.values())
        parts = [f"{count} {status.lower()}" for status, count in sorted(counts.items())]
        seconds = time.monotonic() - self.started
        style = "bold green" if state == "COMPLETED" else "bold red"
        flows = ", ".join(parts) or "no flows"
        self._line(Text(f"Update {state.lower()} in {seconds:.1f} s: {flows}.", style=style))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("flow", "state", "rows", "quality", "time"):
            table.add_column(heading)
        for name, entry in self.flows.items():
            if entry["status"] not in ("QUEUED", "EXCLUDED"):
                table.add_row(*self._cells(name, entry))
        waiting = sum(entry["status"] == "QUEUED" for entry in self.flows.values())
        table.caption = f"{waiting} waiting" if waiting else None
        return table

    def _cells(self, name: str, entry: Mapping[str, Any]) -> tuple[Text, ...]:
        seconds = f"{entry['seconds']:.1f} s" if "seconds" in entry else ""
        status = entry["status"]
        return (
            Text(name.split(".", 1)[-1]),
            Text(status.lower(), style=_STYLE.get(status, "")),
            Text(entry["rows"], justify="right"),
            Text(self._quality(entry), style="yellow"),
            Text(seconds, style="dim"),
        )

    def _text(self, name: str, entry: Mapping[str, Any]) -> Text:
        cells = self._cells(name, entry)
        line = Text("  ").append_text(cells[1])
        line.pad_right(12 - len(cells[1].plain))
        line.append(cells[0].plain)
        for cell in cells[2:]:
            if cell.plain:
                line.append("  ").append_text(cell)
        return line

    def _quality(self, entry: Mapping[str, Any]) -> str:
        parts = []
        if entry["dropped"]:
            parts.append(f"{entry['dropped']:,} dropped")
        if entry["failed"]:
            parts.append(f"{entry['failed']:,} broken rules")
        return ", ".join(parts)

    def _line(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)
