"""Every error this package raises on purpose.

ShimError                    anything below; catching it catches all of them
├── UsageError               the command line, a bundle or a configuration key is wrong   (exit 2)
├── SetupError              the machine lacks something: Java, jars, a server            (exit 2)
├── DefinitionError          one declaration of the user's is wrong                       (exit 2)
├── DefinitionErrors         several of them, raised together                              (exit 2)
├── FlowError                a flow failed; running it again gives the same error         (exit 1)
│   └── ExpectationViolation a row broke an expect_or_fail rule                           (exit 1)
├── SchemaChanged            the schema of a source changed; the flow is restarted        (restart)
└── UpdateActive             another update of this pipeline is running                   (exit 2)

An error says what failed, where, what is allowed, and gives one hint.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence


class ShimError(Exception):
    """What failed, with a condition name that programs may rely on."""

    exit_code = 2

    def __init__(self, condition: str, message: str, *, where: object = None, hint: str = ""):
        self.condition = condition
        self.message = message
        self.where = where
        self.hint = hint
        super().__init__(self._text())

    def _text(self) -> str:
        place = f"\n  at {self.where}" if self.where else ""
        advice = f"\n  hint: {self.hint}" if self.hint else ""
        return f"[{self.condition}] {self.message}{place}{advice}"


class UsageError(ShimError):
    """The command line, a bundle or a configuration key is wrong; nothing was started."""


class SetupError(ShimError):
    """The machine lacks something that the run needs; the hint is the command that installs it."""


class DefinitionError(ShimError):
    """One declaration of a dataset or flow is wrong; `where` is its file and line."""


class DefinitionErrors(ShimError):
    """All wrong declarations of a pipeline at once."""

    def __init__(self, errors: Sequence[ShimError]):
        self.errors = tuple(errors)
        texts = "\n".join(str(error) for error in errors)
        super().__init__("PIPELINE_DEFINITIONS", f"{len(errors)} definitions are wrong.\n{texts}")

    def _text(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class FlowError(ShimError):
    """A flow failed, and a retry would fail in the same way."""

    exit_code = 1


class ExpectationViolation(FlowError):
    """A row broke an `expect_or_fail` rule; nothing of that write was committed."""

    def __init__(
        self,
        flow: str,
        violated: Sequence[str],
        input_record: str | None,
        output_record: str | None,
        where: object = None,
    ):
        self.flow = flow
        self.violated = tuple(violated)
        self.input_record = input_record
        self.output_record = output_record
        self.missing_input = input_record is None
        super().__init__(
            "EXPECTATION_VIOLATION.VERBOSITY_ALL",
            f"Flow '{flow}' failed to meet the expectation. "
            f"Violated expectations: '{', '.join(violated)}'. "
            f"Input record: {input_record or 'could not be determined'}. "
            f"Output record: {output_record or 'could not be determined'}. "
            f"Missing input data: {str(self.missing_input).lower()}.",
            where=where,
            hint="mend the row at its source, or use expect_or_drop to go on without it",
        )


class SchemaChanged(ShimError):
    """The schema of a source has changed; the new one is stored, and a restart reads with it."""

    exit_code = 1


class FileSystemError(ShimError):
    """The operating system refused to read or write a file."""

    exit_code = 1

    @classmethod
    def of(cls, error: OSError) -> FileSystemError:
        """The error with the system's name as its condition, such as ENOSPC for a full disk."""
        condition = errno.errorcode.get(error.errno or 0, "OS_ERROR")
        file = f"{error.filename}: " if error.filename else ""
        hint = "check the path, its permissions, and the space on the disk"
        return cls(condition, f"{file}{error.strerror or error}.", hint=hint)


class UpdateActive(ShimError):
    """Another update of this pipeline is running and goes on."""


def raise_all(errors: Sequence[ShimError]) -> None:
    """Raises the errors: one as it is, several as DefinitionErrors; returns if there are none."""
    if errors:
        raise errors[0] if len(errors) == 1 else DefinitionErrors(errors)


def close_match(word: str, allowed: Iterable[str]) -> str:
    """A hint: the allowed word that `word` was probably meant to be, or all that are allowed."""
    names = sorted(allowed)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    listing = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"allowed: {listing}" if names else ""
