"""`dbutils.secrets`: values of the environment, or of a file outside of the repository."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local_shim.errors import DefinitionError, UsageError
from local_shim.redaction import hide

_PREFIX = "DLT_LOCAL_SECRET_"
_FILE = "DLT_LOCAL_SECRETS"


@dataclass(frozen=True)
class SecretMetadata:
    """The key of a secret."""

    key: str


@dataclass(frozen=True)
class SecretScope:
    """The name of a scope."""

    name: str


class Secrets:
    """The functions of `dbutils.secrets`.

    A secret is the environment variable `DLT_LOCAL_SECRET_<SCOPE>_<KEY>`, or stands in the YAML
    file that `DLT_LOCAL_SECRETS` names, as `scope: {key: value}`. Events show `[REDACTED]`.
    """

    def get(self, scope: str, key: str) -> str:
        """The secret's value; DefinitionError if it is not set."""
        value = os.environ.get(_variable(scope, key)) or _in_file().get(scope, {}).get(key)
        if value is None:
            raise DefinitionError(
                "SECRET_NOT_FOUND",
                f"secret '{key}' of scope '{scope}' is not set.",
                hint=f"set {_variable(scope, key)}, or name a file in {_FILE} that has it",
            )
        return hide(str(value))

    def getBytes(self, scope: str, key: str) -> bytes:
        """The secret's value in UTF-8."""
        return self.get(scope, key).encode()

    def list(self, scope: str) -> list[SecretMetadata]:
        """The keys of a scope in the file of secrets."""
        return [SecretMetadata(key) for key in _in_file().get(scope, {})]

    def listScopes(self) -> list[SecretScope]:  # type: ignore[valid-type]
        """The scopes in the file of secrets."""
        return [SecretScope(name) for name in _in_file()]


def _variable(scope: str, key: str) -> str:
    return _PREFIX + re.sub(r"\W", "_", f"{scope}_{key}").upper()


def _in_file() -> dict[str, dict[str, Any]]:
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
