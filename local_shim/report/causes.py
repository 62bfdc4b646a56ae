"""The cause of each failed flow in one line, for standard error."""

from __future__ import annotations

from local_shim.events.event import Event


class Causes:
    """Listens to events and keeps, for each flow that ended in failure, why."""

    def __init__(self) -> None:
        self._of_flow: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Takes note of an event."""
        if event.event_type != "flow_progress":
            return
        name, status = str(event.origin["flow_name"]), event.details["status"]
        if status == "FAILED" and event.error:
            text = str(event.error["exceptions"][0]["message"])
            self._of_flow[name] = f"{name}: {' '.join(text.split())}"
        elif status in ("RUNNING", "COMPLETED"):
            self._of_flow.pop(name, None)

    def lines(self) -> list[str]:
        """One line a flow, in the order in which they failed."""
        return list(self._of_flow.values())
