"""Our own bundle, as each target would deploy it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from local_shim.deploy_check.check import check_bundle
from local_shim.pipeline_spec.load import from_bundle

pytest.importorskip("databricks.sdk")

PROJECT = Path(__file__).parents[2]
GOLDEN = PROJECT / "tests" / "golden" / "bundle"
FILES = sorted(PROJECT.glob("resources/*.yml"))
TARGETS = ("dev", "staging", "prod", "prod_classic")


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same user on every machine, for names that hold it."""
    monkeypatch.setenv("LOGNAME", "somebody")


@pytest.mark.parametrize("target", TARGETS)
def test_the_resolved_bundle_is_as_in_the_golden_file(target: str) -> None:
    resources = check_bundle(PROJECT, target, environ={})[0].resources.plain()
    text = yaml.safe_dump(resources, sort_keys=True, allow_unicode=True, width=100)
    path = GOLDEN / f"{target}.yml"
    if os.environ.get("DLT_LOCAL_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_every_target_is_checked() -> None:
    assert tuple(each.bundle.target for each in check_bundle(PROJECT, environ={})) == TARGETS


def test_the_monitors_are_a_bundle_of_their_own() -> None:
    assert len(check_bundle(PROJECT / "resources" / "monitors", environ={})) == 1


@pytest.mark.parametrize("target", TARGETS)
def test_a_local_run_is_what_would_be_deployed(target: str) -> None:
    deployment = check_bundle(PROJECT, target, environ={})[0]
    deployed = deployment.resources.plain()["pipelines"]["insurance"]
    local = from_bundle(PROJECT, target, environ={})
    globs = [each["glob"]["include"].removeprefix("../") for each in deployed["libraries"]]
    files = {file for glob in globs for file in (PROJECT / glob.removesuffix("/**")).rglob("*.py")}
    assert set(local.sources) == files
    assert dict(local.configuration) == deployed["configuration"]
    assert (local.catalog, local.schema) == (deployed["catalog"], deployed["schema"])


def test_nobody_gets_a_table_by_the_schema() -> None:
    """Bronze, silver and gold share a schema; SELECT on it would show personal data."""
    schemas = check_bundle(PROJECT, "prod", environ={})[0].resources.plain()["schemas"]
    privileges = {each["principal"]: each["privileges"] for each in schemas["tables"]["grants"]}
    assert "SELECT" not in {each for listed in privileges.values() for each in listed}
    assert "CREATE_TABLE" in privileges["insurance_pipelines"]


@pytest.mark.parametrize("target", ["prod", "prod_classic"])
def test_a_person_runs_nothing_in_production(target: str) -> None:
    resources = check_bundle(PROJECT, target, environ={})[0].resources.plain()
    kinds = ("jobs", "pipelines", "alerts")
    running = [each for kind in kinds for each in resources[kind].values()]
    assert {tuple(each["run_as"]) for each in running} == {("service_principal_name",)}


@pytest.mark.parametrize(
    "file", sorted(PROJECT.glob("resources/*.yml")), ids=lambda file: file.name
)
def test_a_file_declares_one_resource_of_the_type_in_its_name(file: Path) -> None:
    resources = yaml.safe_load(file.read_text())["resources"]
    kind = file.name.removesuffix(".yml").split(".")[1]
    assert list(resources) == [f"{kind}s"]
    assert len(resources[f"{kind}s"]) == 1


def test_the_public_schema_accepts_every_file_and_every_target() -> None:
    """The schema of the CLI may be used with Databricks only, so there is no copy of it here."""
    beside = PROJECT.parent / "shared" / "reference" / "bundle-jsonschema.json"
    schema_file = Path(os.environ.get("BUNDLE_SCHEMA", beside))
    if not schema_file.is_file():
        pytest.skip("set BUNDLE_SCHEMA to the output of `databricks bundle schema`")
    validator = pytest.importorskip("jsonschema").Draft202012Validator(
        yaml.safe_load(_without_unicode_classes(schema_file.read_text()))
    )
    parts = {file.name: yaml.safe_load(file.read_text()) for file in FILES}
    root = yaml.safe_load((PROJECT / "databricks.yml").read_text())
    for target, override in root["targets"].items():  # required fields stand in what they override
        override.pop("resources", None)
        resources = check_bundle(PROJECT, target, environ={})[0].resources.plain()
        parts[target] = {"resources": resources}
    monitors = yaml.safe_load((PROJECT / "resources/monitors/databricks.yml").read_text())
    for name, part in {**parts, "root": root, "monitors": monitors}.items():
        assert [error.message for error in validator.iter_errors(part)] == [], name


def _without_unicode_classes(schema: str) -> str:
    """The schema with one short pattern for references: Python's `re` has no `\\p{L}`."""
    return re.sub(r'"pattern": *"(?:[^"\\]|\\.)*"', '"pattern": "[$][{]"', schema)
