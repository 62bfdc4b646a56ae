"""`dbutils.secrets`: what `secret_values.py` reads."""

from __future__ import annotations

from dataclasses import dataclass

from local_shim.jvm.functions.secret_values import scopes_in_file, secret_value


@dataclass(frozen=True)
class SecretMetadata:
    """The key of a secret."""

    key: str


@dataclass(frozen=True)
class SecretScope:
    """The name of a scope."""

    name: str


class Secrets:
    """The functions of `dbutils.secrets`."""

    def get(self, scope: str, key: str) -> str:
        """The secret's value; DefinitionError if it is not set."""
        return secret_value(scope, key)

    def getBytes(self, scope: str, key: str) -> bytes:
        """The secret's value in UTF-8."""
        return self.get(scope, key).encode()

    def list(self, scope: str) -> list[SecretMetadata]:
        """The keys of a scope in the file of secrets."""
        return [SecretMetadata(key) for key in scopes_in_file().get(scope, {})]

    def listScopes(self) -> list[SecretScope]:  # type: ignore[valid-type]
        """The scopes in the file of secrets."""
        return [SecretScope(name) for name in scopes_in_file()]
