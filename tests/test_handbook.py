"""The handbook: its pages build, and every command in it parses."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot

from local_shim.cli.app import command_line
from local_shim.deploy_check.check import check_bundle

PROJECT = Path(__file__).parents[1]
HANDBOOK = PROJECT / "docs" / "handbook"
PAGES = sorted(HANDBOOK.rglob("*.md"))
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
        name = page.relative_to(HANDBOOK).with_suffix(".html").as_posix()
        assert (site / name).is_file()
        assert f'"location":"{name}"' in index.replace(": ", ":")


def test_the_site_loads_nothing_from_the_network(site: Path) -> None:
    loaded = re.compile(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="((?:https?:)?//[^"]+)"')
    imported = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')]+)""")
    for page in site.rglob("*.html"):
        assert loaded.findall(page.read_text()) == [], page
    for sheet in site.rglob("*.css"):
        assert imported.findall(sheet.read_text()) == [], sheet


def test_search_works_in_a_page_opened_from_disk(site: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    options = ["--headless", "--no-sandbox", "--virtual-time-budget=10000", "--dump-dom"]
    address = f"{(site / 'index.html').as_uri()}?q=slot"
    process = subprocess.run([browser, *options, address], capture_output=True, text=True)
    assert re.search(r"\d+ matching documents", process.stdout)
    assert 'href="setup.html' in process.stdout.split("matching documents")[1]


def commands(program: str) -> list[list[str]]:
    """The words of every command of the handbook that calls a program."""
    scripts = [str(each.values[1]) for each in BLOCKS if each.values[0] == "bash"]
    lines = "\n".join(scripts).replace("\\\n", " ").splitlines()
    return [
        words[words.index(program) + 1 :]
        for words in (shlex.split(line, comments=True) for line in lines)
        if program in words
    ]


def test_commands_name_targets_and_resources_of_the_bundle() -> None:
    pytest.importorskip("databricks.sdk")
    bundles = (PROJECT, PROJECT / "resources" / "monitors")
    deployments = [each for bundle in bundles for each in check_bundle(bundle, environ={})]
    targets = {each.bundle.target for each in deployments}
    keys = {
        key for each in deployments for kind in ("jobs", "pipelines") for key, _ in each.of(kind)
    }
    for words in commands("databricks"):
        for option in ("-t", "--target"):
            if option in words:
                assert words[words.index(option) + 1] in targets, words
        if words[:2] == ["bundle", "run"]:
            assert words[2] in keys, words


def test_the_stack_gets_all_parameters_that_it_needs_and_no_other() -> None:
    template = (PROJECT / "resources" / "aws" / "dms.yml").read_text()
    section = template.split("\nParameters:\n")[1].split("\n\n")[0]
    blocks = re.findall(r"^  (\w+):\n((?:    .*\n?)+)", section, re.MULTILINE)
    needed = {name for name, text in blocks if "    Default:" not in text}
    (deploy,) = (words for words in commands("aws") if "--parameter-overrides" in words)
    values = deploy[deploy.index("--parameter-overrides") + 1 :]
    assigned = {name for name, equals, _ in (each.partition("=") for each in values) if equals}
    assert needed <= assigned <= {name for name, _ in blocks}
