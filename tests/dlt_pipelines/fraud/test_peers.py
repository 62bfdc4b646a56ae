"""Amounts among peers: the example of the insurance model, section b9, and its fallbacks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.transforms.fraud.peers import peer_statistics
from tests.dlt_pipelines.local_frame import local_frame

CLAIM = (
    "claim_id BIGINT, segment STRING, cause_code STRING, severity_code STRING,"
    " incurred DECIMAL(18,2)"
)
AMOUNTS = [1000, 1100, 1200, 1300, 1500, 9000]


def statistics(spark: SparkSession, rows: list[tuple[Any, ...]], minimum: int) -> dict[int, Row]:
    claims = local_frame(
        spark,
        [(key, *groups, Decimal(amount)) for key, (*groups, amount) in enumerate(rows)],
        CLAIM,
    )
    frame = peer_statistics(claims, minimum).groupBy("claim_id").agg(
        F.max("peers").alias("peers"), F.max("of_z").alias("of_z")
    )  # fmt: skip
    return {row.claim_id: row for row in frame.collect()}


def peers(*amounts: int, group: tuple[str, str, str] = ("MOTOR", "FIRE", "MINOR")) -> list[Any]:
    return [(*group, amount) for amount in amounts]


def test_robust_z_and_ratio_are_those_of_the_example(spark: SparkSession) -> None:
    row = statistics(spark, peers(*AMOUNTS), 6)[5]
    assert (f"{row.of_z.z:.2f}", f"{row.of_z.ratio:.1f}", row.of_z.n) == ("8.59", "7.2", 6)
    assert row.peers.group == "MOTOR / FIRE / MINOR"
    assert row.peers.median == 1250


def test_a_group_that_is_too_small_gives_way_to_the_wider_one(spark: SparkSession) -> None:
    other = peers(*AMOUNTS[:3], group=("MOTOR", "FIRE", "MAJOR"))
    row = statistics(spark, [*peers(*AMOUNTS), *other], 7)[5]
    assert (row.of_z.group, row.of_z.n) == ("MOTOR / FIRE", 9)
    assert row.peers.n == 6


def test_a_group_without_spread_gives_way_and_the_widest_takes_the_mean_deviation(
    spark: SparkSession,
) -> None:
    row = statistics(spark, peers(100, 100, 100, 100, 800), 5)[4]
    assert row.of_z.group == "MOTOR"
    deviation = 2.0794415  # ln 8, once in five
    assert row.of_z.z == pytest.approx(deviation / (1.253314 * deviation / 5))


def test_equal_amounts_and_few_peers_have_no_z(spark: SparkSession) -> None:
    assert statistics(spark, peers(100, 100, 100), 3)[0].of_z is None
    assert statistics(spark, peers(*AMOUNTS), 7)[5].of_z is None


def test_a_claim_without_cost_is_no_peer(spark: SparkSession) -> None:
    rows = statistics(spark, peers(*AMOUNTS, 0, -50), 6)
    assert set(rows) == set(range(6))
    assert rows[5].peers.n == 6
