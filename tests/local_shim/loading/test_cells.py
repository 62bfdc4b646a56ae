"""Cells of notebooks out of their text; no Spark is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_shim.loading.cells import Cell, Language, cell
from local_shim.loading.source_files import cells_of


def python_cell(text: str) -> Cell:
    return cell(text, Language.PYTHON, "n.py", 1)


@pytest.mark.parametrize(
    ("text", "code", "commands"),
    [
        ("%pip install 'x\na = 1", "\na = 1", ["%pip install 'x"]),
        ("from __future__ import annotations\n!it's", "from __future__ import annotations\n", None),
        ("%pip install a \\\n  b\nc = 1", "\n\nc = 1", ["%pip install a \\"]),
        ("if x:\n    %pip install y\n", "if x:\n    pass\n", ["%pip install y"]),
        ("%%time\na = 1", "\na = 1", ["%%time"]),
        ("a = ('%s'\n  % 1)", "a = ('%s'\n  % 1)", []),
        ("%pip install a\nb = (", "\nb = (", ["%pip install a"]),
        ("b = )\n%pip install a", "b = )\n%pip install a", []),
        ("%sql_magic x\n%lsmagic", "\n", ["%sql_magic x", "%lsmagic"]),
    ],
)
def test_line_magics_are_left_out_and_code_is_kept(
    text: str, code: str, commands: list[str] | None
) -> None:
    result = python_cell(text)
    assert (result.language, result.text) == (Language.PYTHON, code)
    assert list(result.commands) == (["!it's"] if commands is None else commands)


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("%skip\nnot (code", ()),
        ("%md-sandbox\n<b>", ()),
        ("%sh\nls | wc", ("%sh",)),
        ("%fs ls /mnt", ("%fs ls /mnt",)),
        ("%%bash\nls", ("%%bash",)),
    ],
)
def test_cells_of_text_and_of_shells_are_skipped(text: str, commands: tuple[str, ...]) -> None:
    assert python_cell(text) == Cell(Language.SKIPPED, "", "n.py", 1, commands)


def test_a_line_magic_in_an_sql_notebook_is_skipped() -> None:
    result = cell("%pip install x", Language.SQL, "n.sql", 1)
    assert (result.language, result.commands) == (Language.SKIPPED, ("%pip install x",))


def test_an_exported_cell_may_have_code_beside_its_magic_lines(tmp_path: Path) -> None:
    path = tmp_path / "n.py"
    path.write_text(
        "# Databricks notebook source\n# DBTITLE 1,Packages\n# MAGIC %pip install x\nimport x\n"
        "\n# COMMAND ----------\n\n# a comment\n# MAGIC %md\n# MAGIC # Title\n"
    )
    code, title = cells_of(path)
    assert code.text == "\n# DBTITLE 1,Packages\n\nimport x\n"
    assert (code.commands, title.language) == (("%pip install x",), Language.SKIPPED)
