"""The command line in this process: what it prints and how it ends."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from local_shim.cli.app import main

GOLDEN = Path(__file__).parents[2] / "golden"


@dataclass(frozen=True)
class Result:
    """The end of one command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def dlt_local(*arguments: str | Path, folder: Path | None = None) -> Result:
    """Runs a command in `folder`, for a terminal of 80 columns."""
    out, err = io.StringIO(), io.StringIO()
    with _eighty_columns_in(folder or Path.cwd()), redirect_stdout(out), redirect_stderr(err):
        code = main([str(each) for each in arguments])
    return Result(code, out.getvalue(), err.getvalue())


@contextmanager
def _eighty_columns_in(folder: Path) -> Iterator[None]:
    before, columns = Path.cwd(), os.environ.get("COLUMNS")
    os.chdir(folder)
    os.environ["COLUMNS"] = "80"
    try:
        yield
    finally:
        os.chdir(before)
        del os.environ["COLUMNS"]
        if columns:
            os.environ["COLUMNS"] = columns


def assert_golden(name: str, text: str) -> None:
    """Compares with tests/golden/<name>; DLT_LOCAL_WRITE_GOLDEN=1 writes the file instead."""
    path = GOLDEN / name
    if os.environ.get("DLT_LOCAL_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()
