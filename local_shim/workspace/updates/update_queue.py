"""Accepted updates, run one after the other by one worker process."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue

from local_shim.errors import ShimError
from local_shim.events.event import UpdateState
from local_shim.workspace.updates.accepted_update import AcceptedUpdate, write_end
from local_shim.workspace.updates.history import UpdateSummary

_GRACE = 10.0  # seconds that an update has to stop before its process is killed


class UpdateQueue:
    """Hands updates to the worker, which keeps its JVM from one update to the next.

    The worker has a process session of its own: Ctrl-C in the terminal of the server does not
    reach it. When the server has ended, the worker's input ends; it finishes its update and ends.
    """

    def __init__(self, grace: float = _GRACE) -> None:
        self._grace = grace
        self._lock = threading.Lock()
        self._accepted: dict[str, AcceptedUpdate] = {}  # until the worker is done with them
        self._stopped: set[str] = set()
        self._current: str | None = None
        self._queue: SimpleQueue[tuple[AcceptedUpdate, bytes] | None] = SimpleQueue()
        self._worker: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._carry_out_all, daemon=True)
        self._thread.start()

    def submit(self, update: AcceptedUpdate) -> None:
        """Queues an update."""
        message = pickle.dumps(update)
        with self._lock:
            self._accepted[update.request.update_id] = update
        self._queue.put((update, message))

    def waiting(self, pipeline: str) -> list[UpdateSummary]:
        """The updates of a pipeline that have no journal yet, newest first."""
        with self._lock:
            accepted, current = list(self._accepted.values()), self._current
        return [
            each.summary("INITIALIZING" if each.request.update_id == current else "QUEUED")
            for each in reversed(accepted)
            if each.request.spec.key == pipeline and not each.history.has(each.request.update_id)
        ]

    def stop(self, update_id: str) -> bool:
        """Stops an update, or kills its process after a while; False if it is not in the queue."""
        with self._lock:
            update = self._accepted.get(update_id)
            if update is None:
                return False
            self._stopped.add(update_id)
            if update_id != self._current:
                write_end(update, UpdateState.CANCELED)
                del self._accepted[update_id]
            elif self._worker:
                self._worker.send_signal(signal.SIGINT)
                timer = threading.Timer(self._grace, self._kill, (update_id,))
                timer.daemon = True
                timer.start()
        return True

    def close(self) -> None:
        """Stops what runs, drops what waits, and ends the worker."""
        with self._lock:
            current = self._current
            waiting = [update_id for update_id in self._accepted if update_id != current]
        for update_id in (*waiting, current):
            if update_id:
                self.stop(update_id)
        self._queue.put(None)
        self._thread.join()

    def _carry_out_all(self) -> None:
        while (accepted := self._queue.get()) is not None:
            update, message = accepted
            with self._lock:
                if update.request.update_id not in self._accepted:
                    continue  # stopped while it waited
                self._current = update.request.update_id
                worker = self._started()
                with suppress(BrokenPipeError):
                    worker.stdin.write(message)  # type: ignore[union-attr]
                    worker.stdin.flush()  # type: ignore[union-attr]
            worker.stdout.readline()  # type: ignore[union-attr]
            self._end(update)
        self._end_worker()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._worker is None or self._worker.poll() is not None:
            command = [sys.executable, "-m", "local_shim.workspace.updates.worker"]
            pipe = subprocess.PIPE
            self._worker = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, start_new_session=True
            )
        return self._worker

    def _end(self, update: AcceptedUpdate) -> None:
        """Removes an update that the worker is done with; without a journal, its process died."""
        update_id = update.request.update_id
        with self._lock:
            if update_id in self._stopped:
                write_end(update, UpdateState.CANCELED)
            else:
                error = ShimError("UPDATE_DIED", "the process of the update ended before it began.")
                write_end(update, UpdateState.FAILED, error)
            self._current = None
            del self._accepted[update_id]

    def _kill(self, update_id: str) -> None:
        with self._lock:
            if self._current == update_id and self._worker:
                self._worker.kill()

    def _end_worker(self) -> None:
        if self._worker:
            self._worker.communicate()  # closes the pipes and waits
