"""Which folder of this machine stands for a path of the cloud."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_shim.errors import UsageError


@dataclass(frozen=True)
class PathMap:
    """Folders of this machine for prefixes such as `/Volumes/` or `s3://` (`--path FROM=TO`)."""

    prefixes: Mapping[str, str] = field(default_factory=dict)

    def local(self, path: str) -> str:
        """The local path; the longest prefix wins, and a result is never mapped again.

        `dbfs:/a`, `/dbfs/a` and `/a` are three spellings of one path. [choice] The prefix `dbfs:/`
        does not map `/a`: a pipeline that runs here names folders of this machine like that.
        """
        for spelling, prefixes in self._spellings(path):
            mapped = self._mapped(spelling, prefixes)
            if mapped is not None:
                return mapped
        return path

    def _spellings(self, path: str) -> Iterator[tuple[str, Iterable[str]]]:
        """The spellings of a path, each with the prefixes that may map it."""
        yield path, self.prefixes
        in_dbfs = next((path[len(root) - 1 :] for root in _ROOTS if path.startswith(root)), None)
        if in_dbfs is not None:
            for spelling in (f"dbfs:{in_dbfs}", f"/dbfs{in_dbfs}", in_dbfs):
                yield spelling, self.prefixes
        elif path.startswith("/"):
            for root in _ROOTS:
                below = [prefix for prefix in self.prefixes if prefix not in _ROOTS]
                yield root + path[1:], below

    def _mapped(self, path: str, prefixes: Iterable[str]) -> str | None:
        for prefix in sorted(prefixes, key=len, reverse=True):
            if path.startswith(prefix) or path + "/" == prefix:
                rest = path[len(prefix) :]
                target = Path(self.prefixes[prefix])
                if ".." in Path(rest).parts:
                    raise UsageError("PATH_LEAVES_ROOT", f"'{path}' leaves {prefix}.")
                return str(target / rest.lstrip("/")) if rest else str(target)
        return None


_ROOTS = ("dbfs:/", "/dbfs/")
_CLOUD_PREFIX = re.compile(
    r"/Volumes(?:/[^/]+){1,3}/?|(?:dbfs:|/dbfs)?/mnt/[^/]+/?|(?:dbfs:/|/dbfs/)(?:[^/]+/)?"
)


def cloud_prefix(path: str) -> str:
    """The volume, mount or folder of DBFS that holds `path`, as `--path` takes it; "" elsewhere."""
    match = _CLOUD_PREFIX.match(path)
    return match[0].rstrip("/") + "/" if match else ""
