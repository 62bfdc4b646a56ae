"""Fixtures for all tests: one Spark session, storages and pipelines in temporary folders."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from local_shim.jvm.session import open_session
from tests.browser import open_browser
from tests.pipeline_folder import Pipeline


@pytest.hookimpl(tryfirst=True)  # before -m takes items away
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that use the Spark session: `make test` runs the others beside them."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker("spark")


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The session of the whole run; starting one costs more than most tests."""
    yield open_session()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One browser for all tests of pages."""
    with open_browser() as chrome:
        yield chrome


@pytest.fixture
def pipeline(tmp_path: Path, spark: SparkSession) -> Pipeline:
    """An empty pipeline with a storage of its own."""
    return Pipeline(tmp_path, spark)


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a text file below the test's landing folder."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / "landing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    return write
