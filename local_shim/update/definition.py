"""What a pipeline declares, as long as it declares the same whenever its code runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local_shim.errors import ShimError
from local_shim.graph.registry import Registry
from local_shim.loading.fingerprint import definition_fingerprint
from local_shim.loading.repeatable_code import repeatable_code
from local_shim.update.request import Request


@dataclass(frozen=True)
class Definition:
    """The digest of code and configuration. `code` are the files besides the sources."""

    digest: str
    code: tuple[str, ...] = ()

    def is_current(self, request: Request) -> bool:
        """Whether the pipeline still declares this; raises OSError if a file is gone."""
        code = [Path(file) for file in self.code]
        prefixes = request.path_map().prefixes
        return definition_fingerprint(request.spec, prefixes, code) == self.digest

    def changed_since(self, request: Request, started_ns: int) -> bool:
        """Whether a file of it was written after `started_ns`; raises OSError if one is gone.

        By the time that no program sets: that of an edit may be kept when a file is replaced.
        """
        files = [*request.spec.sources, *map(Path, self.code)]
        return any(file.stat().st_ctime_ns >= started_ns for file in files)


def repeatable_definition(
    request: Request, registry: Registry, started_ns: int
) -> Definition | None:
    """The definition that was loaded after `started_ns`.

    None if running its code again may declare something else: code that may look at a clock, at
    other files or (outside of queries) at tables, and code that was edited after it had been read.
    """
    if registry.reads_tables:
        return None
    with suppress(OSError, SyntaxError, ShimError):  # a file is gone, or no longer code
        code = repeatable_code(request.spec, registry.notebooks)
        if code is None:
            return None
        digest = definition_fingerprint(request.spec, request.path_map().prefixes, code)
        definition = Definition(digest, tuple(map(str, code)))
        return None if definition.changed_since(request, started_ns) else definition
    return None
