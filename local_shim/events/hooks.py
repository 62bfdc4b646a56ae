"""Event hooks: functions of the user that receive every stable event (behaviour 123)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from local_shim.events.event import Event, EventType, Level
from local_shim.events.log import EventLog

Hook = Callable[[dict[str, Any]], None]
_GRACE = 10.0  # seconds that the end of an update waits for hooks


class Hooks:
    """Calls the hooks in a thread of their own, one event at a time; a slow hook delays nothing."""

    def __init__(self, hooks: Sequence[tuple[Hook, int | None]], events: EventLog):
        self._failures = {index: 0 for index in range(len(hooks))}
        self._hooks = hooks
        self._events = events
        self._waiting: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._call_all, daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Queues an event for the hooks, unless it is about them or not stable."""
        if event.maturity_level == "STABLE" and event.event_type is not EventType.HOOK_PROGRESS:
            self._waiting.put(event)

    def close(self) -> None:
        """Waits some seconds for the hooks to receive what is queued."""
        self._waiting.put(None)
        self._thread.join(_GRACE)

    def _call_all(self) -> None:
        while (event := self._waiting.get()) is not None:
            for index in range(len(self._hooks)):
                if not self._is_disabled(index):
                    self._call(index, event)

    def _is_disabled(self, index: int) -> bool:
        _, most = self._hooks[index]
        return most is not None and self._failures[index] > most

    def _call(self, index: int, event: Event) -> None:
        hook, _ = self._hooks[index]
        try:
            hook(event.as_record())
            self._failures[index] = 0
        except Exception as error:
            self._failures[index] += 1
            name = getattr(hook, "__name__", "hook")
            disabled = self._is_disabled(index)
            self._events.write(
                EventType.HOOK_PROGRESS,
                f"Hook '{name}' failed{' and is disabled' if disabled else ''}: {error}",
                {"name": name, "status": "DISABLED" if disabled else "FAILED"},
                level=Level.WARN,
            )
