"""Fixtures of the Auto Loader tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from landing_flow import Flow
from pyspark.sql import SparkSession

from local_shim.session import open_session


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    return open_session()


@pytest.fixture
def flow(spark: SparkSession, tmp_path: Path) -> Flow:
    made = Flow(spark, tmp_path)
    made.landing.mkdir()
    return made
