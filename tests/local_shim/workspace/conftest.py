"""A workspace on this machine for every test that looks at one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local_shim.workspace.local_workspace import LocalWorkspace


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[LocalWorkspace]:
    from tests.local_shim.workspace.local_workspace import local_workspace

    with local_workspace(tmp_path) as serving:
        yield serving
