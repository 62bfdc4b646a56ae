"""Rules of the house that neither ruff, mypy nor the import linter can say."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
PRODUCT = [HERE / "dlt_pipelines", HERE / "local_shim", HERE / "demo"]
ALLOWED_IN_PIPELINES = {"dlt", "pyspark", "dlt_pipelines", "__future__", *sys.stdlib_module_names}
# What must start at once, or on a machine without Spark.
LIGHT = (
    "errors.py",
    "cli",
    "storage.py",
    "jvm/classpath/jars.py",
    "pipeline_spec",
    "deploy_check",
    "remote",
    "dms",
    "report",
    "events",
)
# Spark's Python side itself is light, but these modules are about frames.
NOT_LIGHT = {
    "local_shim.events.announcement",
    "local_shim.events.definitions",
    "local_shim.events.table",
    "local_shim.report.graph_text",
}
SHAPELESS = {"utils", "util", "common", "base", "manager", "helper", "helpers", "misc", "core"}
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
LARGEST_FOLDER = 12


def modules(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def relative_name(path: Path) -> str:
    return str(path.relative_to(HERE))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ("." * node.level) + (node.module or "")


def test_pipelines_import_only_what_databricks_has() -> None:
    strangers = [
        f"{relative_name(path)}: {name}"
        for path in modules(HERE / "dlt_pipelines")
        for name in imports(path)
        if name.split(".")[0] not in ALLOWED_IN_PIPELINES
    ]
    assert strangers == []


def test_light_modules_load_no_spark() -> None:
    """In a fresh process: what a package's __init__ drags in does not show in a linter."""
    names = [name for name in light_modules() if name not in NOT_LIGHT]
    program = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        "    if 'pyspark' in sys.modules:\n"
        "        sys.exit(f'{name} loads pyspark')\n"
    )
    command = [sys.executable, "-c", program]
    process = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
    assert process.returncode == 0, process.stderr


def light_modules() -> list[str]:
    shim = HERE / "local_shim"
    assert [name for name in LIGHT if not (shim / name).exists()] == []
    paths = [path for name in LIGHT for path in (shim / name, *sorted((shim / name).rglob("*.py")))]
    files = [path for path in paths if path.is_file() and path.name != "__init__.py"]
    return [".".join(path.relative_to(HERE).with_suffix("").parts) for path in files]


def test_an_init_file_holds_a_docstring_only() -> None:
    """Importing one module of a package must not import its neighbours."""
    wrong = []
    for path in modules(*PRODUCT):
        if path.name == "__init__.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            if len(tree.body) != 1 or not ast.get_docstring(tree):
                wrong.append(relative_name(path))
    assert wrong == []


def test_declarations_are_entry_points() -> None:
    """Every file under a pipeline glob is run as a source; importing one would run it twice."""
    rooms = tuple(f"dlt_pipelines.{room}." for room in ("bronze", "silver", "gold"))
    imported_sources = [
        f"{relative_name(path)}: {name}"
        for path in modules(*PRODUCT)
        for name in imports(path)
        if name.startswith(rooms)
    ]
    assert imported_sources == []


def test_modules_are_short() -> None:
    lengths = {relative_name(path): path.read_text().count("\n") for path in modules(*PRODUCT)}
    long = {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE}
    assert long == {}


def test_functions_are_short() -> None:
    long = []
    for path in modules(*PRODUCT):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = [part for part in node.body if not is_docstring(part)] or node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
                if lines > LONGEST_FUNCTION:
                    long.append(f"{relative_name(path)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


# Java objects behind PySpark's, and the modules that may touch them.
INTERNALS = re.compile(r"\._j(?!ournal\b)\w+|\._gateway\b|\._instantiatedSession\b|\bpy4j\b")
SEAM = ("local_shim/jvm/", "local_shim/delta/", "local_shim/reading/interception.py")


def test_internals_of_spark_and_delta_are_touched_in_one_seam() -> None:
    """What an upgrade of Spark or Delta may break is in few modules; test_internals.py runs it."""
    outside = [
        f"{relative_name(path)}:{number}: {line.strip()}"
        for path in modules(*PRODUCT)
        if not relative_name(path).startswith(SEAM)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if INTERNALS.search(line)
    ]
    assert outside == []


def test_each_module_that_touches_internals_says_what_it_was_read_from() -> None:
    silent = [
        relative_name(path)
        for path in modules(HERE / "local_shim")
        if relative_name(path).startswith(SEAM)
        and INTERNALS.search(path.read_text(encoding="utf-8"))
        and "Read from" not in path.read_text(encoding="utf-8")
    ]
    assert silent == []


def test_files_are_replaced_moved_and_locked_in_one_module() -> None:
    """An object store would be a second implementation of durable_files.py, and of nothing else."""
    wrong = []
    for path in modules(HERE / "local_shim"):
        if path.name != "durable_files.py":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and replaces_a_file(node):
                    wrong.append(f"{relative_name(path)}:{node.lineno}")
            wrong += [relative_name(path) for name in imports(path) if name == "fcntl"]
    assert wrong == []


def replaces_a_file(call: ast.Call) -> bool:
    """os.replace, os.rename, shutil.move, or replace and rename of a Path: one argument each."""
    function = call.func
    if not isinstance(function, ast.Attribute):
        return False
    if isinstance(function.value, ast.Name) and function.value.id in ("os", "shutil"):
        return function.attr in ("replace", "rename", "move")
    is_path_method = function.attr in ("replace", "rename")
    return is_path_method and len(call.args) == 1 and not call.keywords


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_folders_are_small() -> None:
    sizes: dict[str, int] = {}
    for path in modules(*PRODUCT):
        if path.name != "__init__.py":
            sizes[relative_name(path.parent)] = sizes.get(relative_name(path.parent), 0) + 1
    large = {folder: size for folder, size in sizes.items() if size > LARGEST_FOLDER}
    assert large == {}


def test_every_file_is_about_something() -> None:
    assert [relative_name(path) for path in modules(*PRODUCT) if path.stem in SHAPELESS] == []


@pytest.mark.parametrize(
    "command",
    ["ruff check .", "ruff format --check .", "mypy", "lint-imports"],
)
def test_make_check_passes(command: str) -> None:
    """CI runs the tests and nothing else, so the checks are tests, too."""
    program, *arguments = command.split()
    tool = Path(sys.executable).with_name(program)
    process = subprocess.run([tool, *arguments], capture_output=True, text=True, cwd=HERE)
    assert process.returncode == 0, process.stdout + process.stderr
