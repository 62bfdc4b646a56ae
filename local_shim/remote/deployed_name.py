"""The resource that a bundle deployed under a name."""

from __future__ import annotations

from collections.abc import Mapping

from local_shim.errors import UsageError


def the_only_one(kind: str, name: str, names: Mapping[str, str]) -> str:
    """The id of the resource of this name, or of the only one behind a prefix such as `[dev ada] `.

    `names` are by id. Raises UsageError if there is none or more than one.
    """
    behind_prefix = {key: each for key, each in names.items() if each.endswith(name)}
    matches = {key: each for key, each in names.items() if each == name} or behind_prefix
    if len(matches) != 1:
        listing = ", ".join(sorted(matches.values()))
        raise UsageError(
            f"{kind.upper()}_{'AMBIGUOUS' if matches else 'NOT_DEPLOYED'}",
            f"Several {kind}s end in '{name}': {listing}."
            if matches
            else f"The workspace has no {kind} '{name}'.",
            hint="databricks bundle deploy; and check --target",
        )
    (only,) = matches
    return only
