"""Which file has which header, and where each column stands in each of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from local_shim.autoloader.csv.headers import Header
from local_shim.autoloader.files.listing import SourceFile


@dataclass(frozen=True)
class Group:
    """Files with one and the same header, by `SourceFile.version`."""

    header: Header
    versions: tuple[str, ...]


@dataclass(frozen=True)
class HeaderGroups:
    """The headers met, the one of most files first; files without a record count to it."""

    groups: tuple[Group, ...]

    @property
    def width(self) -> int:
        """Fields of the widest header."""
        return max(len(group.header.names) for group in self.groups)

    def names(self) -> list[str]:
        """Every column name met, exactly as written, the first header's first."""
        return list(dict.fromkeys(n for group in self.groups for n in group.header.names))

    def positions(self, names: Collection[str]) -> list[int | None]:
        """Where in each group's header the first of the names stands."""
        return [_index(group.header.names, names) for group in self.groups]


def group_headers(headers: Mapping[SourceFile, Header | None], otherwise: Header) -> HeaderGroups:
    """Groups files by header; `otherwise` is assumed where no file has one."""
    files: dict[Header, list[str]] = {}
    for file, header in headers.items():
        if header is not None:
            files.setdefault(header, []).append(file.version)
    if not files:
        files[otherwise] = []
    empty = [file.version for file, header in headers.items() if header is None]
    # A stable order: Python sorts stably, and the mapping is oldest file first.
    ranked = sorted(files.items(), key=lambda item: -len(item[1]))
    ranked[0][1].extend(empty)
    return HeaderGroups(tuple(Group(header, tuple(versions)) for header, versions in ranked))


def union_of(headers: Iterable[Header | None]) -> list[str]:
    """Column names in the order of the files; a name in another case is not a new one."""
    names: dict[str, str] = {}
    for header in headers:
        for name in header.names if header else ():
            names.setdefault(name.lower(), name)
    return list(names.values())


def _index(header: Sequence[str], names: Collection[str]) -> int | None:
    return next((i for i, name in enumerate(header) if name in names), None)
