"""The cells of a source file; a file that is no notebook is one cell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from local_shim.errors import DefinitionError
from local_shim.graph.elements import SourceLocation
from local_shim.loading.line_magics import without_line_magics


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
    commands: tuple[str, ...] = ()  # magic commands in it that are not run
    in_other_notebook: bool = False  # SQL in a notebook of Python

    @property
    def where(self) -> SourceLocation:
        """Where the cell begins."""
        return SourceLocation(self.file, self.line)


_SILENT = ("md", "md-sandbox", "html", "skip")  # nothing that anybody would miss
_WHOLE_CELL = ("sh", "bash", "fs")
_TIMED = ("%%time", "%%capture")  # what follows runs as usual
_REFUSED = {"scala": "Scala", "r": "R"}


def cell(text: str, language: Language, file: str, line: int) -> Cell:
    """A cell of a notebook out of its text, whose first line may be a magic command.

    Raises DefinitionError for Scala and R, and for code behind `%run`.
    """
    stripped = text.lstrip()
    if not stripped.startswith(("%", "!")):
        return _code(text, language, file, line)
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
        _refuse_code(rest, file, start + 1)
        return Cell(Language.RUN, argument.strip(), file, start)
    if word == Language.PYTHON.value:
        return _code(argument.lstrip() + "\n" + rest, Language.PYTHON, file, start)
    if word == Language.SQL.value:
        sql = " " * len("%sql ") + argument + "\n" + rest
        return Cell(Language.SQL, sql, file, start, in_other_notebook=language != Language.SQL)
    if word in _SILENT:
        return Cell(Language.SKIPPED, "", file, start)
    is_whole_cell = word in _WHOLE_CELL or (magic.startswith("%%") and magic not in _TIMED)
    if is_whole_cell or language is Language.SQL:
        return Cell(Language.SKIPPED, "", file, start, (magic,))
    return _code(stripped, language, file, start)


def _refuse_code(rest: str, file: str, line: int) -> None:
    """DefinitionError for a line that is no comment: a cell runs one notebook and nothing else."""
    for number, text in enumerate(rest.split("\n"), start=line):
        if text.strip() and not text.lstrip().startswith(("#", "--")):
            raise DefinitionError(
                "RUN_IS_NOT_ALONE",
                f"'{text.strip()}' stands behind %run in one cell.",
                where=SourceLocation(file, number),
                hint="put %run into a cell of its own",
            )


def _code(text: str, language: Language, file: str, line: int) -> Cell:
    """A cell of code; Python may have line magics, as `%pip install x`, anywhere between."""
    if language is not Language.PYTHON:
        return Cell(language, text, file, line)
    code, commands = without_line_magics(text)
    return Cell(language, code, file, line, tuple(commands))
