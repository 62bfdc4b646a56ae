"""Which folder of this machine stands for a path of the cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_shim.errors import UsageError


@dataclass(frozen=True)
class PathMap:
    """Folders of this machine for prefixes such as `/Volumes/` or `s3://` (`--path FROM=TO`)."""

    prefixes: Mapping[str, str] = field(default_factory=dict)

    def local(self, path: str) -> str:
        """The local path; the longest prefix wins, and a result is never mapped again.

        `dbfs:/a`, `/dbfs/a` and, for `dbfs:/`, `/a` are three spellings of one path.
        """
        for spelling in _spellings(path):
            mapped = self._mapped(spelling)
            if mapped is not None:
                return mapped
        return path

    def _mapped(self, path: str) -> str | None:
        for prefix in sorted(self.prefixes, key=len, reverse=True):
            if path.startswith(prefix) or path + "/" == prefix:
                rest = path[len(prefix) :]
                target = Path(self.prefixes[prefix])
                if ".." in Path(rest).parts:
                    raise UsageError("PATH_LEAVES_ROOT", f"'{path}' leaves {prefix}.")
                return str(target / rest.lstrip("/")) if rest else str(target)
        return None


def _spellings(path: str) -> tuple[str, ...]:
    if path.startswith("dbfs:/"):
        return path, f"/dbfs{path[5:]}", path[5:]
    if path.startswith("/dbfs/"):
        return path, f"dbfs:{path[5:]}", path[5:]
    return (path,)
