"""Who a customer is: the survivor of merged parties, and the contracts that are theirs."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.risk import NEVER_BOUND
from dlt_pipelines.transforms.versions import UNKNOWN, current

_DOUBLINGS = 3  # each one doubles the length of the chains that are followed: up to eight merges


def survivors(parties: DataFrame) -> DataFrame:
    """One row per merged party: `party_id` and `survivor_id`, the end of its chain of merges.

    Args:
        parties: versions of silver_party.
    """
    merged = current(parties).where("status = 'MERGED' AND merged_into_party_id IS NOT NULL")
    links = merged.selectExpr("party_id", "merged_into_party_id AS survivor_id")
    for _ in range(_DOUBLINGS):
        further = links.selectExpr("party_id AS survivor_id", "survivor_id AS further_id")
        links = links.join(further, "survivor_id", "left").selectExpr(
            "party_id", "coalesce(further_id, survivor_id) AS survivor_id"
        )
    return links


def resolved(frame: DataFrame, links: DataFrame) -> DataFrame:
    """The frame with every merged `party_id` replaced by its survivor."""
    return (
        frame.join(F.broadcast(links), "party_id", "left")
        .withColumn("party_id", F.coalesce("survivor_id", "party_id"))
        .drop("survivor_id")
    )


def customer_terms(
    policies: DataFrame, products: DataFrame, agents: DataFrame, links: DataFrame
) -> DataFrame:
    """One row per policy term of a party, offers too, with the survivor as its `party_id`.

    Columns: policy_id, party_id, line (of business), channel, term_no, start_date, is_bound,
    bound_on (the start where the source does not say when), quoted_on. A term that was cancelled
    from its first day was never bound. A policy without a party is left out.

    Args:
        policies: versions of silver_policy.
        products: silver_product.
        agents: versions of silver_agent.
        links: from `survivors`.
    """
    is_offer = F.coalesce(F.col("status").isin(*NEVER_BOUND), F.lit(False))
    terms = (
        current(policies)
        .where("party_id IS NOT NULL")
        .join(F.broadcast(products.select("product_id", "line_of_business")), "product_id", "left")
        .join(F.broadcast(current(agents).select("agent_id", "channel")), "agent_id", "left")
        .withColumn("is_bound", ~is_offer & F.expr("coalesce(cancelled_on > start_date, true)"))
        .selectExpr(
            "policy_id", "party_id", "term_no", "start_date", "is_bound",
            f"coalesce(line_of_business, policy_type, '{UNKNOWN}') AS line",
            f"coalesce(channel, '{UNKNOWN}') AS channel",
            "if(is_bound, coalesce(to_date(bound_at), start_date), NULL) AS bound_on",
            "to_date(quoted_at) AS quoted_on",
        )
    )  # fmt: skip
    return resolved(terms, links)
