"""How claims concentrate on few customers."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

TOP_PERCENTS = (1, 5, 10, 20)


def concentration(positions: DataFrame, terms: DataFrame) -> DataFrame:
    """One row per valuation date and top percent of customers, by their net incurred.

    The top q percent of n customers are ceil(n * q / 100) of them, by amount and then party_id.
    The total holds every claim, also those of no known customer. Source: insurance model (b) 7.

    Args:
        positions: claims as at one valuation.
        terms: from `customer_terms`; a customer is who has bound one by the valuation.
    """
    total = positions.groupBy("valuation_date").agg(F.sum("incurred").alias("total"))
    of_party = (
        positions.join(terms.select("policy_id", "party_id"), "policy_id")
        .groupBy("party_id")
        .agg(F.sum("incurred").alias("incurred"))
    )
    dated = terms.crossJoin(F.broadcast(total)).where("bound_on <= valuation_date")
    amounts = (
        dated.select("party_id", "valuation_date", "total")
        .distinct()
        .join(of_party, "party_id", "left")
        .fillna(0, ["incurred"])
    )
    of_date = Window.partitionBy("valuation_date")
    rank = F.row_number().over(of_date.orderBy(F.desc("incurred"), "party_id"))
    percents = F.explode(F.array(*(F.lit(percent) for percent in TOP_PERCENTS)))
    return (
        amounts.withColumns({"rank": rank, "customers": F.count("*").over(of_date)})
        .withColumn("top_share_pct", percents)
        .where("(rank - 1) * 100 < customers * top_share_pct")
        .groupBy("valuation_date", "top_share_pct", "total")
        .agg(
            F.count("*").alias("customers"),
            F.sum("incurred").cast("decimal(18,2)").alias("incurred"),
        )
        .selectExpr(
            "valuation_date", "top_share_pct", "customers", "incurred",
            "CAST(incurred AS DOUBLE) / nullif(CAST(total AS DOUBLE), 0) AS share_of_total",
        )
    )  # fmt: skip
