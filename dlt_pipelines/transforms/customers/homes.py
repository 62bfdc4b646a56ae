"""Where parties live at a valuation."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.customers.parties import resolved
from dlt_pipelines.transforms.versions import current

# Of several valid addresses the home is taken first.
_PREFERENCE = "array_position(array('MAILING', 'BUSINESS', 'HOME'), address_type)"


def addresses_at(addresses: DataFrame, links: DataFrame, valuations: DataFrame) -> DataFrame:
    """One row per party and valuation date with a valid address.

    `postal_area` is the start of the postal code, two characters, as coarse as a quasi-identifier
    may be. `home` is a digest of postal code and first line of the home address, null without one;
    the first line is a digest already.

    Args:
        addresses: versions of silver_party_address.
        links: from `survivors`.
        valuations: `valuation_date`.
    """
    postal = "upper(regexp_replace(postal_code, '[^A-Za-z0-9]', ''))"
    home = F.expr(f"if(line1 = '', NULL, sha2(concat({postal}, '|', line1), 256))")
    valid = (
        current(addresses)
        .withColumns({"_area": F.expr(f"left({postal}, 2)"), "_home": home})
        .crossJoin(F.broadcast(valuations.select("valuation_date")))
        .where("valid_from <= valuation_date AND coalesce(valuation_date < valid_to, true)")
    )
    newest = F.struct("valid_from", "address_id")
    is_home = F.col("address_type") == "HOME"
    return (
        resolved(valid, links)
        .groupBy("party_id", "valuation_date")
        .agg(
            F.max_by("_area", F.struct(F.expr(_PREFERENCE), newest)).alias("postal_area"),
            F.max_by("_home", F.when(is_home, newest)).alias("home"),
        )
    )
