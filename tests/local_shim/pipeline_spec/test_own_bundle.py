"""Our own databricks.yml, under each of its targets."""

import shutil
from pathlib import Path

import pytest

from local_shim.pipeline_spec.load import from_bundle
from local_shim.pipeline_spec.pipeline import PipelineSpec

HERE = Path(__file__).parents[3]
ROOMS = ("bronze", "silver", "gold")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy with one file in each room, whatever the rooms of the real one hold today."""
    shutil.copy(HERE / "databricks.yml", tmp_path)
    shutil.copytree(HERE / "resources", tmp_path / "resources")
    for room in (*ROOMS, "transforms"):
        (tmp_path / "dlt_pipelines" / room).mkdir(parents=True)
        (tmp_path / "dlt_pipelines" / room / "tables.py").touch()
    return tmp_path


def read(folder: Path, target: str | None = None, **variables: str) -> PipelineSpec:
    return from_bundle(folder, target, variables, None, environ={})


def test_only_declarations_are_sources(bundle: Path) -> None:
    rooms = [path.parent.name for path in read(bundle).sources]
    assert rooms == list(ROOMS)


def test_the_repository_is_on_the_import_path(bundle: Path) -> None:
    assert read(bundle).root == bundle


def test_landing_is_steered_by_a_variable(bundle: Path) -> None:
    spec = read(bundle, landing="/tmp/landing")
    assert spec.configuration == {"insurance.landing": "/tmp/landing"}
    assert (spec.key, spec.catalog, spec.schema) == ("insurance", "main", "insurance")


@pytest.mark.parametrize(
    ("target", "landing"),
    [
        ("staging", "/Volumes/main/insurance_staging/landing"),
        ("prod", "/Volumes/main/insurance/landing"),
    ],
)
def test_a_deployed_target_reads_its_volume(bundle: Path, target: str, landing: str) -> None:
    spec = read(bundle, target)
    assert spec.configuration["insurance.landing"] == landing
    assert spec.warnings == ()


def test_the_pipeline_needs_no_package(bundle: Path) -> None:
    assert read(bundle).dependencies == ()
