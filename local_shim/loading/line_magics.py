"""Line magics in Python code of notebooks: `%pip install x`, `!ls` and others that IPython runs."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence


def without_line_magics(text: str) -> tuple[str, list[str]]:
    """The code without its magic lines, and these lines.

    A line that begins with `%` may also continue an expression, as in a text and its values: only
    lines at which Python finds a syntax error are magic. An indented one becomes `pass`, because it
    may be all that a block has.
    """
    lines, commands = text.split("\n"), list[str]()
    while (index := _magic_line(lines)) is not None:
        command = lines[index].strip()
        commands.append(command)
        indentation = lines[index][: -len(lines[index].lstrip())]
        lines[index] = f"{indentation}pass" if indentation else ""
        while command.endswith("\\") and index + 1 < len(lines):
            index += 1
            command, lines[index] = lines[index].rstrip(), ""
    return "\n".join(lines), commands


def _magic_line(lines: Sequence[str]) -> int | None:
    """The first magic line, from which Python's parser goes no further; None if there is none."""
    if not any(_may_be_magic(line) for line in lines):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they come when the code is compiled
            ast.parse("\n".join(lines))
    except SyntaxError as error:
        index = (error.lineno or 0) - 1
        if 0 <= index < len(lines) and _may_be_magic(lines[index]):
            return index
    return None


def _may_be_magic(line: str) -> bool:
    return line.lstrip().startswith(("%", "!"))
