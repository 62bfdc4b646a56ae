"""The errors that end a replication task.

UsageError    a settings document or an argument is wrong; nothing was started   (exit 2)
SetupError   the machine or the source server is not set up for it              (exit 2)
TaskFailed    a running task cannot go on                                        (exit 1)
"""

from __future__ import annotations

from local_shim.errors import ShimError


class TaskFailed(ShimError):
    """A running task cannot go on; what was published is whole and its position is known."""

    exit_code = 1
