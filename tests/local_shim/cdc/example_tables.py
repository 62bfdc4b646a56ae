"""Reads the examples: Markdown pages that are the documentation of a rule, and its test.

A page has a title, prose that names items of docs/behaviour/pipelines.md, the flow's arguments as
an indented block, and tables under headings: `Changes…` is a batch (columns with types),
`Snapshot N` a snapshot, `Target` what the target then has.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Step:
    """One table of a page: its heading, its columns and its cells as text (None = NULL)."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class Example:
    """One page."""

    name: str
    title: str
    items: tuple[int, ...]
    arguments: dict[str, Any]
    steps: tuple[Step, ...]


def examples() -> list[Example]:
    return [read(path) for path in sorted(FOLDER.glob("*.md"))]


def page() -> str:
    """All pages as one: `python tests/local_shim/cdc/example_tables.py > docs/auto-cdc.md`."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))]
    lower = [re.sub(r"^(#+ )", r"#\1", text.strip(), flags=re.MULTILINE) for text in texts]
    head = (
        "<!-- Made by tests/local_shim/cdc/example_tables.py; each section is a test. -->\n"
        "# AUTO CDC by example\n\n"
        "Changes go in, a target comes out. Several tables of changes are several updates. The\n"
        "numbers are those of [behaviour/pipelines.md](behaviour/pipelines.md)."
    )
    return "\n\n".join([head, *lower]) + "\n"


def read(path: Path) -> Example:
    text = path.read_text(encoding="utf-8")
    head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    code = " ".join(line.strip() for line in head.splitlines() if line.startswith("    "))
    listed = re.search(r"Behaviour ([\d, ]+)\.", head)
    assert listed, f"{path.name} names no behaviour items"
    return Example(
        name=path.stem,
        title=head.splitlines()[0].removeprefix("# "),
        items=tuple(int(item) for item in listed.group(1).split(",")),
        arguments=eval(f"dict({code})", {}),
        steps=tuple(_step(section) for section in sections),
    )


def _step(section: str) -> Step:
    heading, *lines = section.splitlines()
    table = [_cells(line) for line in lines if line.startswith("|")]
    header, _, *rows = table
    return Step(
        heading,
        tuple(str(cell) for cell in header),
        tuple(rows),
    )


def _cells(line: str) -> tuple[str | None, ...]:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return tuple(None if cell == "null" else cell for cell in cells)


if __name__ == "__main__":
    sys.stdout.write(page())
