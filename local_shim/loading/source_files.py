"""Reads source files as cells: plain files, notebooks that Databricks exported, and `.ipynb`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_shim.errors import DefinitionError, ShimError, raise_all
from local_shim.graph.elements import SourceLocation
from local_shim.loading.cells import Cell, Language, cell

SUFFIXES = (".py", ".sql", ".ipynb")
_HEADER = "Databricks notebook source"
_CellSource = tuple[str, Language, str, int]  # text, default language, file, first line


@dataclass(frozen=True)
class Export:
    """How Databricks writes a notebook as a file of one language: everything else is a comment."""

    comment: str
    language: Language

    @property
    def separator(self) -> str:
        """The line between two cells."""
        return f"{self.comment} COMMAND ----------"

    def is_notebook(self, text: str) -> bool:
        """Whether a file of this language is a notebook."""
        return text.lstrip("\ufeff").startswith(f"{self.comment} {_HEADER}")


_EXPORTS = {".py": Export("#", Language.PYTHON), ".sql": Export("--", Language.SQL)}


def cells_of(path: Path) -> list[Cell]:
    """The cells of a source file; raises DefinitionError if it or a cell cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, f"it cannot be read: {error}.") from error
    if path.suffix == ".ipynb":
        return _parsed(_of_json(path, text))
    export = _EXPORTS[path.suffix]
    if export.is_notebook(text):
        return _parsed(_of_export(path, text, export))
    return [Cell(export.language, text, str(path))]


def _parsed(sources: Iterable[_CellSource]) -> list[Cell]:
    cells: list[Cell] = []
    errors: list[ShimError] = []
    for source in sources:
        try:
            cells.append(cell(*source))
        except DefinitionError as error:
            errors.append(error)
    raise_all(errors)
    return cells


def _of_export(path: Path, text: str, export: Export) -> Iterator[_CellSource]:
    lines = text.split("\n")
    bounds = [i for i, line in enumerate(lines) if line.strip() == export.separator]
    for start, stop in zip([0, *bounds], [*bounds, len(lines)], strict=True):
        body = ["", *lines[start + 1 : stop]]  # the header or the separator is the first line
        if any(line.strip() for line in body):
            yield _exported_cell(path, body, export, start + 1)


def _exported_cell(path: Path, lines: list[str], export: Export, line: int) -> _CellSource:
    """A cell out of its lines: with `MAGIC` before them, or code with some such lines between."""
    magic = f"{export.comment} MAGIC"
    if any(each.startswith(magic) for each in lines):
        others = [each for each in lines if not each.startswith(magic)]
        has_code = any(each.strip() and not each.startswith(export.comment) for each in others)
        lines = [
            _without(each, magic) if each.startswith(magic) else each if has_code else ""
            for each in lines
        ]
    return "\n".join(lines), export.language, str(path), line


def _without(line: str, magic: str) -> str:
    return line[len(magic) :].removeprefix(" ")


def _of_json(path: Path, text: str) -> Iterator[_CellSource]:
    try:
        notebook = json.loads(text)
        language = _language(notebook.get("metadata") or {})
        sources = [(each["cell_type"], "".join(each["source"])) for each in notebook["cells"]]
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(
            path, "it is no notebook: it must be JSON with a list of cells."
        ) from error
    for number, (kind, source) in enumerate(sources, start=1):
        if kind == "code":
            yield source, language, f"{path} cell {number}", 1


def _language(metadata: dict[str, Any]) -> Language:
    databricks = metadata.get("application/vnd.databricks.v1+notebook", {}).get("language")
    name = databricks or metadata.get("language_info", {}).get("name") or "python"
    return Language.SQL if str(name).lower() == "sql" else Language.PYTHON


def _unreadable(path: Path, reason: str) -> DefinitionError:
    return DefinitionError(
        "SOURCE_FILE_FAILED",
        f"{path.name}: {reason}",
        where=SourceLocation(str(path), 1),
        hint="export the notebook again" if path.suffix == ".ipynb" else "save it as UTF-8",
    )
