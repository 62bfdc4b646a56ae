"""SQL text of a file or a cell, and where each of its characters stands in the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from local_shim.graph.elements import SourceLocation
from local_shim.sql_text import Edit, edited


@dataclass(frozen=True)
class Origin:
    """The text that another text was made of, and the edits that made it, in their order."""

    source: SourceText
    edits: tuple[Edit, ...]

    def index(self, index: int) -> int:
        """Where a character of the new text stood in the old one.

        What an edit has put in stands where the edit begins.
        """
        growth = 0
        for edit in self.edits:
            start = edit.start + growth
            if index < start:
                break
            if index < start + len(edit.text):
                return edit.start
            growth += len(edit.text) - (edit.stop - edit.start)
        return index - growth


@dataclass(frozen=True)
class SourceText:
    """SQL text that begins in a line of a file, or that was made of such a text."""

    text: str
    file: str
    first_line: int = 1
    origin: Origin | None = None

    def __str__(self) -> str:
        return self.text

    def edited(self, edits: Iterable[Edit]) -> SourceText:
        """The text after edits; its characters keep their places in the file."""
        ordered = tuple(sorted(edits, key=lambda edit: (edit.start, edit.stop)))
        text = edited(self.text, ordered)
        return SourceText(text, self.file, self.first_line, Origin(self, ordered))

    def part(self, start: int, stop: int) -> SourceText:
        """The text from `start` up to `stop`."""
        return self.edited([Edit(0, start, ""), Edit(stop, len(self.text), "")])

    def location(self, index: int) -> SourceLocation:
        """The line and the column of a character in the file."""
        if self.origin is None:
            before = self.text[:index]
            line = self.first_line + before.count("\n")
            column = index - (before.rfind("\n") + 1) + 1
            return SourceLocation(self.file, line, language="SQL", column=column)
        last = max(len(self.text) - 1, 0)
        place = self.origin.source.location(self.origin.index(min(index, last)))
        return place if index <= last else replace(place, column=(place.column or 0) + 1)

    def line(self, index: int) -> SourceLocation:
        """The line of a character in the file."""
        return replace(self.location(index), column=None)

    @property
    def where(self) -> SourceLocation:
        """The line in which it begins."""
        return self.line(0)
