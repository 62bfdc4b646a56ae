"""The cells of a source file; a file that is no notebook is one cell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from local_shim.errors import DefinitionError
from local_shim.graph.elements import SourceLocation


class Language(Enum):
    """What a cell holds; the values are its magic commands."""

    PYTHON = "python"
    SQL = "sql"
    RUN = "run"  # the path of another notebook
    SKIPPED = "skipped"  # text, or commands that a pipeline does not run


@dataclass(frozen=True)
class Cell:
    """One cell: its text begins in a line of `file`, a name that errors show."""

    language: Language
    text: str
    file: str
    line: int = 1
    magic: str = ""  # how a skipped cell begins

    @property
    def where(self) -> SourceLocation:
        """Where the cell begins."""
        return SourceLocation(self.file, self.line)


_SILENT = ("md", "md-sandbox", "html")  # nothing that anybody would miss
_NOT_RUN = ("pip", "sh", "fs", "conda", "config", "matplotlib")
_REFUSED = {"scala": "Scala", "r": "R"}


def cell(text: str, language: Language, file: str, line: int) -> Cell:
    """A cell out of its text, whose first line may be a magic command.

    Raises DefinitionError for Scala and R.
    """
    stripped = text.lstrip()
    if not stripped.startswith(("%", "!")):
        return Cell(language, text, file, line)
    start = line + text[: len(text) - len(stripped)].count("\n")
    magic, _, rest = stripped.partition("\n")
    word, _, argument = magic.lstrip("%").partition(" ")
    if word in _REFUSED:
        raise DefinitionError(
            "LANGUAGE_NOT_SUPPORTED",
            f"the cell is written in {_REFUSED[word]}.",
            where=SourceLocation(file, start),
            hint="pipelines take Python and SQL",
        )
    if word == "run":
        return Cell(Language.RUN, argument.strip(), file, start)
    if word == Language.PYTHON.value:
        return Cell(Language.PYTHON, argument.lstrip() + "\n" + rest, file, start)
    if word == Language.SQL.value:
        return Cell(Language.SQL, " " * len("%sql ") + argument + "\n" + rest, file, start)
    if word in _SILENT:
        return Cell(Language.SKIPPED, "", file, start)
    if word in _NOT_RUN or magic.startswith(("!", "%%")) or not rest.strip():
        return _after_commands(text, language, file, start, magic)
    return Cell(language, text, file, line)


def _after_commands(text: str, language: Language, file: str, line: int, magic: str) -> Cell:
    """What follows the commands that begin in `line`, or a skipped cell."""
    lines = text.lstrip().split("\n")
    is_whole_cell = magic.startswith(("%sh", "%fs", "%%"))
    if not is_whole_cell and language is Language.PYTHON:
        code = ["" if each.lstrip().startswith(("%", "!")) else each for each in lines]
        if any(each.strip() for each in code):
            return Cell(language, "\n".join(code), file, line, magic)
    return Cell(Language.SKIPPED, "", file, line, magic)
