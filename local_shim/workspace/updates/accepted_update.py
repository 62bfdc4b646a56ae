"""An update that the server has accepted, and the journal of one that could not begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from local_shim.errors import ShimError
from local_shim.events.announcement import write_request
from local_shim.events.event import UpdateState
from local_shim.events.update_log import open_event_log
from local_shim.storage import Storage
from local_shim.update.request import Request
from local_shim.workspace.updates.history import UpdateHistory, UpdateSummary


@dataclass(frozen=True)
class AcceptedUpdate:
    """An update that the worker runs; with `validate_only` nothing is read or written."""

    request: Request
    validate_only: bool = False
    accepted: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def storage(self) -> Storage:
        """The storage of its pipeline."""
        return Storage(self.request.storage, self.request.spec.key)

    @property
    def history(self) -> UpdateHistory:
        """The journals of its pipeline."""
        return UpdateHistory(self.storage)

    @property
    def parameters(self) -> dict[str, object]:
        """What was requested, with the field names of Databricks' `StartUpdate`."""
        return {**self.request.start_parameters(), "validate_only": self.validate_only}

    def summary(self, state: str) -> UpdateSummary:
        """The update before it has a journal."""
        created = self.accepted.isoformat().replace("+00:00", "Z")
        request = self.request
        return UpdateSummary(request.update_id, state, created, request.cause, self.parameters)


def write_end(update: AcceptedUpdate, state: UpdateState, error: ShimError | None = None) -> None:
    """Writes the journal of an update that ends before its first event; keeps an existing journal.

    An update whose definitions do not resolve ends so; its events then hold the error.
    """
    if update.history.has(update.request.update_id):
        return
    request = update.request
    events = open_event_log(update.storage, request.spec, request.update_id)
    try:
        write_request(events, request.spec, update.parameters)
        events.update(state, error=error)
    finally:
        events.close()
