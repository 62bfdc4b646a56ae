"""Fixtures of the Auto Loader tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.local_shim.autoloader.landing_flow import Flow


@pytest.fixture
def flow(spark: SparkSession, tmp_path: Path) -> Flow:
    made = Flow(spark, tmp_path)
    made.landing.mkdir()
    return made
