"""A bundle that is wrong: file, line, key and remedy, all of it at once."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_shim.errors import UsageError
from local_shim.pipeline_spec.load import from_bundle

Lay = Callable[[dict[str, str]], Path]

GOOD = """\
bundle: {name: x}
variables:
  catalog: {default: main}
  landing: {description: where files arrive}
targets:
  dev: {}
resources:
  pipelines:
    orders:
      catalog: ${var.catalog}
      libraries:
        - glob: {include: src/**}
"""


def failure(lay: Lay, text: str, **overrides: object) -> UsageError:
    folder = lay({"databricks.yml": text, "src/a.py": ""})
    return raised(folder, **overrides)


def raised(folder: Path, **overrides: object) -> UsageError:
    arguments = {"target": None, "variables": {}, "pipeline": None, "environ": {}, **overrides}
    with pytest.raises(UsageError) as caught:
        from_bundle(folder, **arguments)  # type: ignore[arg-type]
    return caught.value


def place(error: UsageError) -> str:
    return Path(str(error.where)).name


def test_an_unknown_variable_names_its_line_and_the_near_one(lay: Lay) -> None:
    error = failure(lay, GOOD.replace("${var.catalog}", "${var.catalogue}"))
    assert error.condition == "UNKNOWN_VARIABLE"
    assert "${var.catalogue}" in error.message
    assert place(error) == "databricks.yml:10"
    assert error.hint == "did you mean 'catalog'?"


def test_a_variable_without_value_shows_the_ways_to_give_one(lay: Lay) -> None:
    error = failure(lay, GOOD.replace("${var.catalog}", "${var.landing}"))
    assert error.condition == "VARIABLE_WITHOUT_VALUE"
    assert "--var landing=VALUE" in error.hint
    assert "BUNDLE_VAR_landing" in error.hint
    assert "databricks.yml:4" in error.hint


def test_a_lookup_needs_a_workspace_or_a_value(lay: Lay) -> None:
    text = GOOD.replace("{description: where files arrive}", "{lookup: {warehouse: w}}")
    error = failure(lay, text.replace("${var.catalog}", "${var.landing}"))
    assert "asks a workspace" in error.message
    folder = lay({})
    spec = from_bundle(folder, None, {"landing": "c"}, None, environ={})
    assert spec.catalog == "c"


def test_a_value_for_an_undeclared_variable_is_refused(lay: Lay) -> None:
    error = failure(lay, GOOD, variables={"catalgo": "x"})
    assert error.condition == "UNKNOWN_VARIABLE"
    assert str(error.where) == "--var"
    assert error.hint == "did you mean 'catalog'?"


def test_all_errors_are_reported_at_once(lay: Lay) -> None:
    text = GOOD.replace("${var.catalog}", "${var.nope}").replace("src/**", "srcs/**")
    error = failure(lay, text, variables={"wrong": "x"})
    assert error.condition == "SPEC_INVALID"
    assert error.message.count("[UNKNOWN_VARIABLE]") == 2
    assert "[SOURCE_NOT_FOUND]" in error.message
    assert "3 things are wrong" in error.message
    assert error.exit_code == 2


def test_references_in_a_circle_are_shown(lay: Lay) -> None:
    text = GOOD.replace("{default: main}", '{default: "${var.landing}"}')
    text = text.replace("{description: where files arrive}", '{default: "x${var.catalog}"}')
    error = failure(lay, text)
    assert error.condition == "REFERENCE_CIRCLE"
    assert "var.catalog → var.landing → var.catalog" in error.message


def test_a_reference_into_nothing_names_the_near_key(lay: Lay) -> None:
    error = failure(lay, GOOD.replace("${var.catalog}", "${bundle.nmae}"))
    assert error.condition == "UNKNOWN_REFERENCE"
    assert error.hint == "did you mean 'name'?"


def test_an_unknown_target_names_the_near_one(lay: Lay) -> None:
    error = failure(lay, GOOD, target="dve")
    assert (error.condition, error.hint) == ("UNKNOWN_TARGET", "did you mean 'dev'?")


def test_several_targets_want_a_choice(lay: Lay) -> None:
    error = failure(lay, GOOD.replace("dev: {}", "dev: {}\n  prod: {}"))
    assert error.condition == "TARGET_NEEDED"
    assert "--target dev" in error.hint


def test_an_unknown_pipeline_names_the_near_one(lay: Lay) -> None:
    error = failure(lay, GOOD, pipeline="order")
    assert (error.condition, error.hint) == ("UNKNOWN_PIPELINE", "did you mean 'orders'?")


def test_several_pipelines_want_a_choice(lay: Lay) -> None:
    error = failure(lay, GOOD + "    other: {libraries: []}\n")
    assert error.condition == "PIPELINE_NEEDED"
    assert "orders, other" in error.message
    assert "--pipeline orders" in error.hint


def test_a_bundle_without_pipelines_says_so(lay: Lay) -> None:
    error = failure(lay, "bundle: {name: x}\npython: {resources: ['r:load']}\n")
    assert error.condition == "NO_PIPELINE"
    assert "python.resources" in error.hint


def test_managed_ingestion_cannot_run_here(lay: Lay) -> None:
    text = "bundle: {name: x}\nresources: {pipelines: {p: {ingestion_definition: {objects: []}}}}"
    error = failure(lay, text)
    assert error.condition == "NO_SOURCES"
    assert "managed ingestion" in error.hint


def test_a_missing_folder_names_the_near_one(lay: Lay) -> None:
    error = failure(lay, GOOD.replace("src/**", "scr/**"))
    assert error.condition == "SOURCE_NOT_FOUND"
    assert place(error) == "databricks.yml:12"
    assert error.hint == "did you mean 'src'?"


def test_a_glob_without_match_is_an_error(lay: Lay) -> None:
    error = failure(lay, GOOD.replace("src/**", "'src/*.sql'"))
    assert error.condition == "SOURCE_NOT_FOUND"
    assert "folder/**" in error.hint


def test_a_source_of_another_kind_is_an_error(lay: Lay) -> None:
    lay({"src/a.scala": ""})
    text = GOOD.replace("glob: {include: src/**}", "file: {path: src/a.scala}")
    assert failure(lay, text).condition == "SOURCE_NOT_SUPPORTED"


def test_an_unknown_kind_of_library_is_an_error(lay: Lay) -> None:
    error = failure(lay, GOOD.replace("glob: {include: src/**}", "globe: {include: src/**}"))
    assert error.condition == "UNKNOWN_LIBRARY"


def test_a_missing_root_is_an_error(lay: Lay) -> None:
    error = failure(lay, GOOD + "      root_path: lib\n")
    assert error.condition == "ROOT_NOT_FOUND"


def test_configuration_is_text(lay: Lay) -> None:
    error = failure(lay, GOOD + "      configuration: {insurance: {landing: x}}\n")
    assert error.condition == "CONFIGURATION_NOT_TEXT"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("bundle:\n\tname: x\n", 2),
        ("bundle: {name: x}\nvariables: [\n", 3),
        ("a: b: c\n", 1),
        ("bundle: {catalog: ${var.catalog}}\n", 1),
        ("a: &x [*x]\n", 1),
        ("? [a, b]\n: c\n", 1),
        ("a: *nobody\n", 1),
    ],
)
def test_broken_yaml_names_its_line(lay: Lay, text: str, line: int) -> None:
    error = failure(lay, text)
    assert error.condition == "YAML_BROKEN"
    assert place(error) == f"databricks.yml:{line}"


def test_every_broken_file_is_named(lay: Lay) -> None:
    lay({"r/a.yml": "a: b: c", "r/b.yml": "a: ["})
    error = failure(lay, "bundle: {name: x}\ninclude: [r/*.yml]\n")
    assert "r/a.yml:1" in error.message
    assert "r/b.yml:1" in error.message


def test_bytes_that_are_no_text_are_an_error(lay: Lay, tmp_path: Path) -> None:
    lay({})
    (tmp_path / "databricks.yml").write_bytes(b"bundle: \xff\xfe")
    assert raised(tmp_path).condition == "SPEC_INVALID"


def test_a_folder_without_bundle_says_what_was_looked_for(tmp_path: Path) -> None:
    error = raised(tmp_path)
    assert error.condition == "BUNDLE_NOT_FOUND"
    assert "databricks.yml" in error.hint


def test_two_root_files_are_one_too_many(lay: Lay) -> None:
    lay({"bundle.yaml": "bundle: {name: y}"})
    assert failure(lay, GOOD).condition == "BUNDLE_AMBIGUOUS"


def test_an_include_without_file_is_an_error(lay: Lay) -> None:
    lay({"resources/a.yml": ""})
    error = failure(lay, GOOD + "include: [resource/a.yml]\n")
    assert error.condition == "INCLUDE_NOT_FOUND"
    assert error.hint == "did you mean 'resources/a.yml'?"


def test_a_key_is_unique_across_files_and_types(lay: Lay) -> None:
    lay({"r/a.yml": "resources: {jobs: {orders: {name: x}}}"})
    error = failure(lay, GOOD + "include: [r/*.yml]\n")
    assert error.condition == "RESOURCE_DEFINED_TWICE"
    assert "databricks.yml:9" in error.message


@pytest.mark.parametrize("text", ["", "just text", "- a\n- b\n", "resources: [1]", "targets: dev"])
def test_nonsense_never_ends_in_a_traceback(lay: Lay, text: str) -> None:
    assert failure(lay, text).exit_code == 2


def test_no_typing_error_ends_in_a_traceback(lay: Lay) -> None:
    """Each value of a bundle replaced by each of these: it is read, or refused in our words."""
    slips = (None, 1.5, "x", [1, [2]], {"a": {"b": None}}, "${var.catalog}", "${resources}", "[")
    good = yaml.safe_load(GOOD)
    for path in positions(good):
        for slip in slips:
            folder = lay({"databricks.yml": yaml.safe_dump(replaced(good, path, slip))})
            (folder / "src").mkdir(exist_ok=True)
            (folder / "src" / "a.py").touch()
            with contextlib.suppress(UsageError):
                from_bundle(folder, None, {}, None, environ={})


def positions(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield from positions(tree[key], (*path, key))


def replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = dict(tree) if isinstance(tree, dict) else list(tree)
    changed[path[0]] = replaced(tree[path[0]], path[1:], value)
    return changed
