"""The text of an SQL file or cell, and where each of its characters stands in the file."""

from __future__ import annotations

from dataclasses import dataclass

from local_shim.graph.elements import SourceLocation


@dataclass(frozen=True)
class SourceText:
    """SQL text that begins in a line of a file."""

    text: str
    file: str
    first_line: int = 1

    def location(self, index: int) -> SourceLocation:
        """The line and the column of a character."""
        before = self.text[:index]
        line = self.first_line + before.count("\n")
        column = index - (before.rfind("\n") + 1) + 1
        return SourceLocation(self.file, line, language="SQL", column=column)

    def line(self, index: int) -> SourceLocation:
        """The line of a character."""
        place = self.location(index)
        return SourceLocation(place.file, place.line, language="SQL")


@dataclass(frozen=True)
class Fragment:
    """A piece of a source's text, from `start` up to `stop`."""

    source: SourceText
    start: int
    stop: int

    def __str__(self) -> str:
        return self.source.text[self.start : self.stop]

    @property
    def where(self) -> SourceLocation:
        """The line in which it begins."""
        return self.source.line(self.start)
