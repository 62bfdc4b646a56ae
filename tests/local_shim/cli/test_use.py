"""How commands are called: help, wrong use, exit codes, and what loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.local_shim.cli.command import assert_golden, dlt_local

COMMANDS = (
    "run",
    "plan",
    "explain",
    "events",
    "report",
    "graph",
    "sql",
    "export",
    "deploy-check",
    "remote",
    "dms",
)
PROJECT = Path(__file__).parents[3]


def test_help_lists_the_commands() -> None:
    result = dlt_local("--help")
    assert result.code == 0
    assert_golden("help.txt", result.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command: str) -> None:
    result = dlt_local(command, "--help")
    assert result.code == 0
    assert_golden(f"help_{command}.txt", result.out)


@pytest.mark.parametrize("action", ["full-load", "cdc", "run", "status", "drop"])
def test_help_of_an_action_of_dms(action: str) -> None:
    out = dlt_local("dms", action, "--help").out
    assert all(option in out for option in ("--task", "--source", "--target"))
    assert ("--until-caught-up" in out) == (action in ("cdc", "run"))


def test_help_loads_no_spark_and_no_database_driver() -> None:
    program = (
        "import sys\n"
        "from local_shim.cli.app import main\n"
        "main(['--help'])\n"
        "loaded = {'pyspark', 'psycopg2', 'delta'} & set(sys.modules)\n"
        "sys.exit(str(loaded) if loaded else 0)\n"
    )
    process = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True)
    assert process.returncode == 0, process.stderr


WRONG = {
    "no command": [],
    "no action": ["dms"],
    "unknown command": ["rnu"],
    "unknown action": ["dms", "full-laod"],
    "misspelt option": ["run", "--storgae", "x"],
    "option of another command": ["plan", "--continuous"],
    "missing value": ["run", "--conf"],
    "value without =": ["run", "x.py", "--conf", "key"],
    "no number": ["run", "--continuous", "--for", "soon"],
    "--for alone": ["run", "--for", "3"],
    "two places": ["run", "x.py", "--bundle", "."],
    "missing option": ["export"],
    "missing task": ["dms", "status"],
    "wrong choice": ["sql", "SELECT 1", "--format", "tabel"],
    "wrong level": ["events", "--level", "warning"],
    "several storages": ["events"],
    "two queries": ["sql", "SELECT 1", "SELECT 2"],
    "empty query": ["sql", "  "],
    "no query": ["sql"],
    "query and file": ["sql", "SELECT 1", "-f", "query.sql"],
    "no such file": ["sql", "-f", "nowhere.sql"],
    "storage that is not there": ["sql", "SELECT 1", "--storage", "nowhere"],
    "storage that is a file": ["sql", "SELECT 1", "--storage", "file"],
    "no storage to run in": ["run", "pipeline.py", "--storage", "file"],
    "no bundle": ["plan"],
    "no such pipeline file": ["plan", "pipelin.py"],
    "no such spec": ["plan", "--spec", "nowhere.yml"],
    "export to a file": ["export", "--to", "file", "--storage", "storage"],
    "no events": ["events", "--storage", "storage"],
    "no such pipeline": ["events", "--pipeline", "shpo", "--storage", "storage"],
}


def test_wrong_use_is_one_line_with_a_close_match(tmp_path: Path) -> None:
    for name in ("file", "pipeline.py"):
        (tmp_path / name).touch()
    for name in ("shop", "bank"):
        (tmp_path / ".dlt-local" / name / "system").mkdir(parents=True)
    (tmp_path / "storage" / "system" / "journal" / "shop").mkdir(parents=True)
    messages = []
    for what, arguments in WRONG.items():
        result = dlt_local(*arguments, folder=tmp_path)
        assert (result.code, result.out) == (2, ""), what
        assert result.err.startswith("[") and "Traceback" not in result.err, what
        messages.append(f"# {what}: dlt-local {' '.join(arguments)}\n{result.err}")
    assert_golden("wrong_use.txt", "\n".join(messages).replace(str(tmp_path), "FOLDER"))


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["run", "--bundel", "x"], 2)])
def test_the_installed_command_exits_with_the_code(arguments: list[str], code: int) -> None:
    command = [sys.executable, "-m", "local_shim", *arguments]
    process = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)
    assert process.returncode == code
    assert bool(process.stdout) == (code == 0) and bool(process.stderr) == (code == 2)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("storage", "condition"), [("file/below", "ENOTDIR"), ("/proc/storage", "ENOENT")]
)
def test_what_the_operating_system_refuses_is_one_message(
    storage: str, condition: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "pipeline.sql").write_text("CREATE MATERIALIZED VIEW one AS SELECT 1 AS id")
    result = dlt_local("run", "pipeline.sql", "--storage", storage, folder=tmp_path)
    assert result.code == 1
    assert result.err.startswith(f"[{condition}] ")
    assert "/storage" in result.err or "/file/below" in result.err


def test_no_storage_in_the_folder(tmp_path: Path) -> None:
    result = dlt_local("sql", "SELECT 1", folder=tmp_path)
    assert result.code == 2
    assert result.err.startswith("[STORAGE_NOT_GIVEN] no storage lies in .dlt-local.")


@pytest.mark.usefixtures("spark")
def test_an_update_with_nothing_to_do_needs_no_java(tmp_path: Path) -> None:
    (tmp_path / "pipeline.sql").write_text("CREATE MATERIALIZED VIEW one AS SELECT 1 AS id")
    assert dlt_local("run", "pipeline.sql", folder=tmp_path).code == 0
    command = [sys.executable, "-m", "local_shim", "run", "pipeline.sql"]
    environment = {"JAVA_HOME": "/nowhere", "PATH": "", "PYTHONPATH": str(PROJECT)}
    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert again.stdout.splitlines()[-1].endswith("1 completed."), again.stderr
