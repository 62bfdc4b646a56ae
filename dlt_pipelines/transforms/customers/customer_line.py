"""What a customer has in force at a valuation, by policy type."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def customer_lines(segments: DataFrame, terms: DataFrame, valuations: DataFrame) -> DataFrame:
    """One row per party, valuation date, policy type and line of business with something in force.

    Columns: policies_in_force, in_force_premium (annual), term_no (the highest), next_expiry.

    Args:
        segments: from `segments_on_risk`.
        terms: from `customer_terms`.
        valuations: `valuation_date`.
    """
    return (
        segments.join(terms.select("policy_id", "party_id", "line"), "policy_id")
        .crossJoin(F.broadcast(valuations.select("valuation_date")))
        .where("risk_from <= valuation_date AND valuation_date < risk_to")
        .groupBy("party_id", "valuation_date", "policy_type", "line")
        .agg(
            F.countDistinct("policy_number").alias("policies_in_force"),
            F.sum("annual_premium").cast("decimal(18,2)").alias("in_force_premium"),
            F.max("term_no").alias("term_no"),
            F.min("end_date").alias("next_expiry_on"),
        )
    )
