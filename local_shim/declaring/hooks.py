"""Declarations of event hooks: functions that get the events of an update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_shim.declaring.arguments import arguments_checked
from local_shim.graph.registry import active_registry

Hook = Callable[[dict[str, Any]], Any]


@arguments_checked
def on_event_hook(
    user_event_hook_fn: Hook | None = None,
    *,
    max_allowable_consecutive_failures: int | None = None,
) -> Any:
    """Calls the function with every stable event of the update, as a dict.

    After more consecutive failures than allowed it is not called again; None allows any number.
    """

    def register(hook: Hook) -> Hook:
        active_registry().hooks.append((hook, max_allowable_consecutive_failures))
        return hook

    return register if user_event_hook_fn is None else register(user_event_hook_fn)
