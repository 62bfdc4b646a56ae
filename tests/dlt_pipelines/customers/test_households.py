"""Merged parties, households and concentration."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dlt_pipelines.transforms.customers.concentration import concentration
from dlt_pipelines.transforms.customers.homes import addresses_at
from dlt_pipelines.transforms.customers.household import households
from dlt_pipelines.transforms.customers.parties import survivors
from tests.dlt_pipelines.local_frame import local_frame

Valued = Callable[..., DataFrame]


def merged(party_id: int, into: int | None) -> dict[str, Any]:
    status = "ACTIVE" if into is None else "MERGED"
    return {"party_id": party_id, "status": status, "merged_into_party_id": into}


def test_a_chain_of_merges_ends_at_the_survivor(silver: Any) -> None:
    chain = [merged(n, n + 1) for n in range(1, 8)]  # 1 into 2, 2 into 3, … 7 into 8
    links = survivors(silver("party", *chain, merged(8, None), merged(9, None))).collect()
    assert {row.party_id: row.survivor_id for row in links} == dict.fromkeys(range(1, 8), 8)


def address(party_id: int, line1: str, postal: str = "R1 010", **more: Any) -> dict[str, Any]:
    row = {"party_id": party_id, "address_id": party_id, "address_type": "HOME"}
    row |= {"line1": line1, "postal_code": postal, "valid_from": "2020-01-01"}
    return row | more


def place(
    spark: SparkSession, silver: Any, valued_at: Valued, *addresses: dict[str, Any]
) -> DataFrame:
    """Addresses at the end of 2024; party 90 is merged into party 1."""
    links = survivors(silver("party", merged(90, 1), merged(1, None)))
    return addresses_at(silver("party_address", *addresses), links, valued_at("2024-12-31"))


def customers(spark: SparkSession, *parties: int) -> DataFrame:
    rows = [(n, 1, 2, Decimal(100 * n)) for n in parties]
    frame = local_frame(
        spark,
        rows,
        "party_id BIGINT, policies_in_force BIGINT, distinct_lines BIGINT,"
        " in_force_premium DECIMAL(18,2)",
    )
    return frame.withColumn("valuation_date", F.lit("2024-12-31").cast("date"))


def test_who_lives_together_is_one_household(
    spark: SparkSession, silver: Any, valued_at: Valued
) -> None:
    homes = place(
        spark, silver, valued_at,
        address(1, "Mill Lane"),
        address(2, "Mill Lane", "r1010"),  # written otherwise
        address(3, "Mill Lane", valid_to="2024-12-31"),  # moved out on the day
        address(4, "Mill Lane"),  # lives there, is no customer
        address(90, "Mill Lane", valid_from="2019-01-01"),  # the same person as party 1
        address(5, "Mill Lane", address_type="BUSINESS"),
    )  # fmt: skip
    rows = {row.members: row for row in households(customers(spark, 1, 2), homes, 12).collect()}
    assert set(rows) == {3}
    assert (rows[3].policies_in_force, rows[3].distinct_lines) == (2, 4)
    assert str(rows[3].in_force_premium) == "300.00"
    apart = households(customers(spark, 3, 5, 6), homes, 12).collect()
    assert {(row.household_id, row.members) for row in apart} == {("P3", 1), ("P5", 1), ("P6", 1)}


def test_an_institution_is_flagged_and_not_put_together(
    spark: SparkSession, silver: Any, valued_at: Valued
) -> None:
    homes = place(
        spark, silver, valued_at,
        *(address(n, "Home for Sailors") for n in range(1, 14)),
        *(address(n, "Church Row") for n in range(21, 33)),
    )  # fmt: skip
    rows = households(customers(spark, 1, 2, 21, 22), homes, 12).collect()
    institution = sorted(row.household_id for row in rows if row.is_institution)
    assert institution == ["P1", "P2"]
    assert [row.members for row in rows if not row.is_institution] == [12]
    assert sum(row.in_force_premium for row in rows) == 4600


def positions(spark: SparkSession, *amounts: tuple[int, int]) -> DataFrame:
    rows = [(policy, Decimal(amount)) for policy, amount in amounts]
    frame = local_frame(spark, rows, "policy_id BIGINT, incurred DECIMAL(18,2)")
    return frame.withColumn("valuation_date", F.lit("2024-12-31").cast("date"))


def terms(spark: SparkSession, number: int) -> DataFrame:
    """One term of each party, party n with policy n."""
    rows = [(n, n, "2023-01-01") for n in range(1, number + 1)]
    frame = local_frame(spark, rows, "policy_id BIGINT, party_id BIGINT, bound_on STRING")
    return frame.withColumn("bound_on", F.col("bound_on").cast("date"))


def test_the_share_of_the_top_customers_is_of_all_claims(spark: SparkSession) -> None:
    claims = positions(spark, (1, 500), (2, 300), (2, 100), (3, 50), (99, 50))  # 99: no policy
    rows = {row.top_share_pct: row for row in concentration(claims, terms(spark, 11)).collect()}
    assert {percent: row.customers for percent, row in rows.items()} == {1: 1, 5: 1, 10: 2, 20: 3}
    assert {percent: row.share_of_total for percent, row in rows.items()} == {
        1: 0.5, 5: 0.5, 10: 0.9, 20: 0.95,
    }  # fmt: skip


def test_a_single_party_and_no_amount_is_no_division_error(spark: SparkSession) -> None:
    rows = concentration(positions(spark, (1, 0)), terms(spark, 1)).collect()
    assert {(row.customers, row.share_of_total) for row in rows} == {(1, None)}
    assert len(rows) == 4
    assert concentration(positions(spark), terms(spark, 1)).count() == 0
