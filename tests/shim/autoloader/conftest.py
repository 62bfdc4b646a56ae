"""Fixtures of the Auto Loader tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from landing_flow import Flow
from pyspark.sql import SparkSession


@pytest.fixture
def flow(spark: SparkSession, tmp_path: Path) -> Flow:
    made = Flow(spark, tmp_path)
    made.landing.mkdir()
    return made
