"""Requirements of a pipeline's environment: versions, markers, extras and files."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from local_shim.errors import UsageError
from local_shim.pipeline_spec.pipeline import PipelineSpec
from local_shim.pipeline_spec.requirements import check_requirements

PYTEST = metadata.version("pytest")


def check(*dependencies: str) -> None:
    check_requirements(PipelineSpec("p", "p", "main", "default", (), dependencies=dependencies))


@pytest.mark.parametrize(
    "dependency",
    [
        "pytest",
        "PyTest",
        f"pytest=={PYTEST}",
        "pytest>=1",
        "no-such-package; python_version < '3'",
        "pytest[no-such-extra]",
        "--index-url somewhere",
        "-e /nowhere",
    ],
)
def test_a_requirement_that_is_met_passes(dependency: str) -> None:
    check(dependency)


@pytest.mark.parametrize(
    ("dependency", "reason"),
    [
        ("no-such-package", "not installed"),
        ("pytest<1", f"installed is {PYTEST}"),
        ("pytest<1; python_version >= '3'", f"installed is {PYTEST}"),
        ("pytest ~~ 3", "not a requirement"),
        ("/nowhere/wheels/a-1.0-py3-none-any.whl", "there is no such file"),
    ],
)
def test_a_requirement_that_is_not_met_is_named_with_the_reason(
    dependency: str, reason: str
) -> None:
    with pytest.raises(UsageError) as caught:
        check("pytest", dependency)
    assert caught.value.condition == "DEPENDENCY_MISSING"
    assert f"{dependency} ({reason}" in str(caught.value)
    assert caught.value.hint == f"pip install {dependency!r}"


def test_the_requirements_of_an_extra_must_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "with_extra-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: with-extra\nVersion: 1.0\nProvides-Extra: more\n"
        "Requires-Dist: pytest\nRequires-Dist: no-such-package>=2 ; extra == 'more'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    check("with-extra")
    with pytest.raises(UsageError, match="without no-such-package>=2"):
        check("with-extra[more]")


def test_a_wheel_that_exists_passes(tmp_path: Path) -> None:
    wheel = tmp_path / "a-1.0-py3-none-any.whl"
    wheel.touch()
    check(str(wheel))
