"""Fixtures of the Auto Loader tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.local_shim.autoloader.landing_flow import Flow


@pytest.fixture
def flow(spark: SparkSession, tmp_path: Path) -> Flow:
    flow = Flow(spark, tmp_path)
    flow.landing.mkdir()
    return flow
