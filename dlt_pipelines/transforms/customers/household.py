"""Customers who live together."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def households(customers: DataFrame, addresses: DataFrame, household_size: int) -> DataFrame:
    """One row per household and valuation date that has a customer.

    Parties with the same home address are one household. `members` counts all of them, also those
    without a contract; premium, policies and lines are sums over the customers. At an address of
    more parties than `household_size` nobody is put together: each customer is a household, and
    `is_institution` says why. So is a customer without a home address. Source: insurance model
    (b) 7.

    Args:
        customers: rows of gold_customer_360.
        addresses: from `addresses_at`, without erased parties.
        household_size: more parties at one address are an institution, for example a nursing home.
    """
    at_home = Window.partitionBy("valuation_date", "home")
    homes = addresses.where("home IS NOT NULL").select(
        "party_id", "valuation_date", "home", F.count("*").over(at_home).alias("residents")
    )
    placed = customers.join(homes, ["party_id", "valuation_date"], "left").withColumns(
        {
            "is_institution": F.expr(f"coalesce(residents > {household_size}, false)"),
            "is_shared": F.expr(f"coalesce(residents <= {household_size}, false)"),
        }
    )
    household = F.expr("if(is_shared, concat('H', left(home, 16)), concat('P', party_id))")
    return placed.groupBy(household.alias("household_id"), "valuation_date").agg(
        F.max(F.expr("if(is_shared, residents, 1)")).alias("members"),
        F.sum("policies_in_force").alias("policies_in_force"),
        F.sum("distinct_lines").alias("distinct_lines"),
        F.sum("in_force_premium").cast("decimal(18,2)").alias("in_force_premium"),
        F.max("is_institution").alias("is_institution"),
    )
