import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Files = dict[str, str]


@pytest.fixture
def lay(tmp_path: Path) -> Callable[[Files], Path]:
    """Writes files (indented text allowed) into a fresh folder and returns it."""

    def write(files: Files) -> Path:
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text), encoding="utf-8")
        return tmp_path

    return write
