"""The handbook: its pages build, and every command in it parses."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot

from local_shim.cli.app import command_line

PROJECT = Path(__file__).parents[1]
PAGES = sorted((PROJECT / "docs" / "handbook").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(language, text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (language, text) in enumerate(BLOCK.findall(page.read_text()), 1)
]


def test_the_handbook_has_commands() -> None:
    assert len(BLOCKS) > 20


@pytest.mark.parametrize(("language", "text"), BLOCKS)
def test_a_command_parses(language: str, text: str) -> None:
    if language == "bash":
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)
        for line in text.replace("\\\n", " ").splitlines():
            if line.startswith("dlt-local "):
                command_line().parse_args(shlex.split(line)[1:])
    else:
        dialect = "postgres" if text.startswith("-- PostgreSQL") else "databricks"
        assert sqlglot.parse(text, dialect=dialect)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handbook as a site; a warning is an error."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    process = subprocess.run(
        [*command, str(folder)], capture_output=True, text=True, cwd=PROJECT, env=environment
    )
    assert (process.returncode, process.stderr) == (0, "")
    return folder


def test_every_page_is_built_and_can_be_searched(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text()
    for page in PAGES:
        assert (site / f"{page.stem}.html").is_file()
        assert f'"location":"{page.stem}.html"' in index.replace(": ", ":")


def test_the_site_loads_nothing_from_the_network(site: Path) -> None:
    page = (site / "index.html").read_text()
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', page)
    assert loaded == []
