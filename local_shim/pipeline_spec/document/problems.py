"""The errors and warnings of a spec, collected so that all are reported at once."""

from __future__ import annotations

from local_shim.errors import UsageError


class Problems:
    """Errors and warnings in order, each once."""

    def __init__(self) -> None:
        self.errors: list[UsageError] = []
        self.warnings: list[str] = []

    def add(self, condition: str, message: str, where: object = None, hint: str = "") -> None:
        """Notes an error; the reading goes on as far as it makes sense."""
        error = UsageError(condition, message, where=where, hint=hint)
        if str(error) not in {str(earlier) for earlier in self.errors}:
            self.errors.append(error)

    def warn(self, message: str, where: object = None, hint: str = "") -> None:
        """Notes what Databricks would only warn about."""
        advice = f" ({hint})" if hint else ""
        line = f"{where}: {message}{advice}" if where else f"{message}{advice}"
        if line not in self.warnings:
            self.warnings.append(line)

    def raise_any(self) -> None:
        """Raises the one error, or a `SPEC_INVALID` UsageError that lists them all."""
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            listed = "\n".join(str(error) for error in self.errors)
            raise UsageError("SPEC_INVALID", f"{len(self.errors)} things are wrong.\n{listed}")
