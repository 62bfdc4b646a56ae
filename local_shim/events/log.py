"""Writes the events of an update: to its journal at once, to listeners, later to a Delta table.

A Delta commit for each event would cost more than the work it reports. Each event is therefore
appended to the update's journal, a file of JSON lines that survives `kill -9`. At the end of an
update the journals that are not in the Delta table yet are appended to it in one commit.
"""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from local_shim.durable_files import open_for_appending
from local_shim.events.event import (
    Event,
    EventType,
    FlowStatus,
    Level,
    UpdateState,
    error_details,
)
from local_shim.redaction import redacted

Listener = Callable[[Event], None]


class EventLog:
    """The events of one update, in order."""

    def __init__(
        self,
        journal: Path,
        origin: Mapping[str, Any],
        listeners: Sequence[Listener],
        after: datetime | None = None,
    ):
        """Every event is later than `after`, also if the machine's clock was set back."""
        self.origin = dict(origin)
        self.listeners = list(listeners)
        self._lock = threading.RLock()
        self._sequence = 0
        self._last = after or datetime.min.replace(tzinfo=UTC)
        self._node = secrets.randbits(48)  # in the ids, in place of the machine's network address
        self._journal: TextIO = open_for_appending(journal)

    def write(
        self,
        event_type: EventType,
        message: str,
        details: Mapping[str, Any] | None = None,
        *,
        level: Level = Level.INFO,
        error: BaseException | None = None,
        maturity_level: str = "STABLE",
        **origin: Any,
    ) -> None:
        """Writes one event to the journal and hands it to all listeners.

        After `close` an event of a late hook is dropped: the update has ended.
        """
        with self._lock:
            if self._journal.closed:
                return
            event = Event(
                str(uuid.uuid1(self._node)),
                self._sequence,
                self._now(),
                event_type,
                redacted(message),
                level,
                {**self.origin, **origin},
                redacted(details or {}),
                redacted(error_details(error)),
                maturity_level,
            )
            self._sequence += 1
            self._journal.write(event.as_json() + "\n")
            self._journal.flush()
            for listener in self.listeners:
                listener(event)

    def close(self) -> None:
        """Ends the journal."""
        with self._lock:
            self._journal.close()

    def update(
        self, state: UpdateState, cause: str = "", error: BaseException | None = None
    ) -> None:
        """Reports that the update reached a state."""
        level = Level.ERROR if state is UpdateState.FAILED else Level.INFO
        message = f"Update {self.origin['update_id'][:8]} is {state.value}."
        details = {"state": state.value, **({"cancellation_cause": cause} if cause else {})}
        self.write(EventType.UPDATE_PROGRESS, message, details, level=level, error=error)

    def flow(
        self,
        name: str,
        status: FlowStatus,
        message: str = "",
        error: BaseException | None = None,
        **details: Any,
    ) -> None:
        """Reports where a flow stands; `details` may hold metrics and data_quality."""
        level = Level.ERROR if status is FlowStatus.FAILED else Level.INFO
        origin = {key: details.pop(key) for key in ("flow_id", "dataset_name") if key in details}
        self.write(
            EventType.FLOW_PROGRESS,
            message or f"Flow '{name}' is {status.value}.",
            {"status": status.value, **details},
            level=level,
            error=error,
            flow_name=name,
            **origin,
        )

    def warn(self, message: str, **origin: Any) -> None:
        """Reports something that did not stop the update but matters."""
        self.write(EventType.WARNING, message, {"message": message}, level=Level.WARN, **origin)

    def _now(self) -> datetime:
        # Readers ask for events after the last timestamp they have, so no two may be equal.
        now = datetime.now(UTC)
        self._last = now if now > self._last else self._last + timedelta(microseconds=1)
        return self._last
