"""A task that a process holds: locked, recovered, connected to its source."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import connection as Connection

from local_shim.dms.changes.table_stream import TaskContext
from local_shim.dms.clock import Clock
from local_shim.dms.errors import TaskFailed
from local_shim.dms.publishing.publisher import Publisher
from local_shim.dms.publishing.state import Move, State, Store
from local_shim.dms.source.catalog import Catalog
from local_shim.dms.source.connection import Link, linked
from local_shim.dms.source.lookup import Lookup
from local_shim.dms.task import Task
from local_shim.errors import SetupError, UsageError

Report = Callable[[str], None]
_TARGET_TROUBLE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES),
    *(errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.EISDIR),  # a file where a folder goes
)


@dataclass
class Session:
    """A task that this process holds: locked, recovered, connected to its source."""

    task: Task
    publisher: Publisher
    link: Link
    clock: Clock
    report: Report

    @property
    def state(self) -> State:
        """The state as last saved."""
        return self.publisher.state

    @property
    def connection(self) -> Connection:
        """An ordinary connection to the source."""
        return self.link.connection()

    def context(self, catalog: Catalog) -> TaskContext:
        """What table streams and loads share."""
        lookup = Lookup(self.link)
        return TaskContext(self.task, catalog, lookup, self.publisher.exceptions, self.report)


@contextmanager
def opened(
    task: Task,
    clock: Clock,
    report: Report,
    on_published: Callable[[Move], None] = lambda move: None,
) -> Iterator[Session]:
    """Hold the task; each file that becomes visible is passed to `on_published`.

    Raises:
        ShimError: Another process holds it, or the source is not set up for it.
    """
    store = Store(task.bucket().work)
    with trouble_explained(task), store.locked(), linked(task.source) as link:
        catalog = Catalog(link)
        catalog.check()
        fresh = new_state(task, catalog)
        stored = store.load()
        state = stored or fresh
        if (state.system, state.database) != (fresh.system, fresh.database):
            raise UsageError(
                "DMS_OTHER_SOURCE",
                f"The task's state belongs to the database {state.database} of another server.",
                where=store.path,
                hint="use another --target, or remove the old one",
            )
        for setting in task.not_imitated if stored is None else ():
            report(setting)
        publisher = Publisher(task, state, clock, on_published)
        publisher.recover()
        yield Session(task, publisher, link, clock, report)


def new_state(task: Task, catalog: Catalog) -> State:
    """The state of a task that has not run yet: what its slot and publications will be called."""
    database = str(catalog.one("SELECT current_database()"))
    system = str(catalog.one("SELECT system_identifier FROM pg_control_system()"))
    # Slots are the server's, not the database's: two tasks of one name must not share one.
    place = f"{database}\n{task.target.resolve()}"
    unique = hashlib.sha256(place.encode()).hexdigest()[:8]
    name = f"dms_{task.name[:40]}_{unique}"
    slot = task.endpoint.slot or name
    return State(task.name, slot, name, database, system)


@contextmanager
def trouble_explained(task: Task) -> Iterator[None]:
    """What disks and servers refuse, as an error that says what to do."""
    try:
        yield
    except psycopg2.errors.InsufficientPrivilege as error:
        raise SetupError(
            "DMS_SOURCE_DENIED",
            " ".join(str(error).split()),
            where=task.source.describe(),
            hint="ALTER ROLE … WITH REPLICATION and own the tables, or use a superuser as DMS does",
        ) from None
    except psycopg2.Error as error:
        text = " ".join(str(error).split())
        raise TaskFailed("DMS_SOURCE_ERROR", text, where=task.source.describe()) from None
    except OSError as error:
        if error.errno not in _TARGET_TROUBLE:
            raise
        raise TaskFailed(
            "DMS_TARGET_UNWRITABLE",
            f"The target cannot be written: {error.strerror}.",
            where=error.filename or task.target,
            hint="nothing unpublished was confirmed: make room, then start the task again",
        ) from None
