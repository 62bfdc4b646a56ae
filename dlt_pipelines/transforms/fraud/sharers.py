"""Bank accounts, telephones and addresses that claims of different people have in common."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.transforms.versions import current

KINDS = ("bank", "phone", "address")


def claim_owners(
    claims: DataFrame, parties: DataFrame, addresses: DataFrame, household_size: int
) -> DataFrame:
    """One row per claim and the policyholder whose claim it is, merged parties resolved.

    A household is a current home address; somebody without one, or who shares it with more than
    `household_size` parties, is a household of his own. Columns: claim_id, policy_number, owner_id,
    household, phone, and `places`: the owner's current addresses but that of an institution.

    Args:
        claims: `claim_id`, `policy_number`, `party_id`.
        parties: versions.
        addresses: versions.
        household_size: a home address of more parties is an institution, not a household.
    """
    holders = current(parties).select(
        "party_id", "phone", F.coalesce("merged_into_party_id", "party_id").alias("owner_id")
    )
    alone = F.concat(F.lit("party "), "owner_id")
    unknown = F.concat(F.lit("claim "), "claim_id")
    return (
        claims.select("claim_id", "policy_number", "party_id")
        .join(holders, "party_id", "left")
        .join(_homes(addresses, household_size), "owner_id", "left")
        .select(
            "claim_id",
            "policy_number",
            "owner_id",
            F.coalesce("home", alone, unknown).alias("household"),
            "phone",
            "places",
        )
    )


def _homes(addresses: DataFrame, household_size: int) -> DataFrame:
    place = F.concat_ws("|", "postal_code", "line1")
    is_home = F.col("address_type") == "HOME"
    latest = F.max(F.when(is_home, F.struct("valid_from", "address_id", place.alias("place"))))
    is_household = F.count("*").over(Window.partitionBy("home")) <= household_size
    return (
        current(addresses)
        .where("valid_to IS NULL AND line1 <> ''")
        .groupBy(F.col("party_id").alias("owner_id"))
        .agg(latest["place"].alias("home"), F.collect_set(place).alias("places"))
        .withColumn("is_household", is_household | F.col("home").isNull())
        .select(
            "owner_id",
            F.when(F.col("is_household"), F.col("home")).alias("home"),
            F.when(F.col("is_household"), F.col("places"))
            .otherwise(F.array_remove("places", F.col("home")))
            .alias("places"),
        )
    )


def sharers(owners: DataFrame, claim_parties: DataFrame, ledger: DataFrame) -> DataFrame:
    """`bank_sharers`, `phone_sharers`, `address_sharers` of a claim, for every shared identifier.

    Identifiers are bank accounts of people involved and of payments, telephones of people involved
    and of the owner, and addresses of the owner. Counted is the least of the owners, households
    and policy numbers an identifier is met with, so that a family, or one customer with two
    contracts, does not share with itself.
    """
    involved = claim_parties.select("claim_id", _values(phone="phone", bank="bank_account_token"))
    paid = ledger.where("bank_account_token IS NOT NULL").select(
        "claim_id", _values(bank="bank_account_token")
    )
    owner_identifiers = owners.select(
        "claim_id", F.concat(_values(phone="phone"), _addresses()).alias("identifiers")
    )
    shared_identifiers = (
        involved.unionByName(paid)
        .unionByName(owner_identifiers)
        .select("claim_id", F.inline("identifiers"))
        .where("value <> ''")
        .join(owners.drop("phone", "places"), "claim_id")
        .groupBy("kind", "value")
        .agg(
            F.collect_set("claim_id").alias("claims"),
            F.least(*(F.size(F.collect_set(name)) for name in _APART)).alias("sharers"),
        )
        .where("sharers > 1")
        .withColumn("claim_id", F.explode("claims"))
    )
    columns = [
        F.when(F.col("kind") == kind, F.col("sharers")).alias(f"{kind}_sharers") for kind in KINDS
    ]
    return shared_identifiers.select("claim_id", *columns)


_APART = ("owner_id", "household", "policy_number")


def _values(**columns: str) -> Column:
    pairs = [
        F.struct(F.lit(kind).alias("kind"), F.col(name).alias("value"))
        for kind, name in columns.items()
    ]
    return F.array(*pairs).alias("identifiers")


def _addresses() -> Column:
    return F.expr(
        "transform(coalesce(places, array()), place -> struct('address' AS kind, place AS value))"
    )
