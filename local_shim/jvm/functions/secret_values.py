"""The values of secrets: from the environment, or from a file outside of the repository.

A secret is the environment variable `DLT_LOCAL_SECRET_<SCOPE>_<KEY>`, or stands in the YAML file
that `DLT_LOCAL_SECRETS` names, as `scope: {key: value}`. Events show `[REDACTED]`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml

from local_shim.errors import DefinitionError, UsageError
from local_shim.redaction import hide

_PREFIX = "DLT_LOCAL_SECRET_"
_FILE = "DLT_LOCAL_SECRETS"


def secret_value(scope: str, key: str) -> str:
    """The value of a secret; DefinitionError if it is not set."""
    value = os.environ.get(_variable(scope, key)) or scopes_in_file().get(scope, {}).get(key)
    if value is None:
        raise DefinitionError(
            "SECRET_NOT_FOUND",
            f"secret '{key}' of scope '{scope}' is not set.",
            hint=f"set {_variable(scope, key)}, or name a file in {_FILE} that has it",
        )
    return hide(str(value))


def all_secrets() -> dict[str, Any]:
    """The secrets of the environment by variable, and those of the file by scope and key."""
    variables = {name: text for name, text in os.environ.items() if name.startswith(_PREFIX)}
    return {**variables, **scopes_in_file()}


def scopes_in_file() -> dict[str, dict[str, Any]]:
    """The secrets of the file by scope and key; UsageError if it cannot be read."""
    name = os.environ.get(_FILE)
    if not name:
        return {}
    try:
        scopes = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(
            "SECRETS_UNREADABLE", f"the file of secrets cannot be read: {error}.", where=name
        ) from error
    return scopes if isinstance(scopes, dict) else {}


def _variable(scope: str, key: str) -> str:
    return _PREFIX + re.sub(r"\W", "_", f"{scope}_{key}").upper()
