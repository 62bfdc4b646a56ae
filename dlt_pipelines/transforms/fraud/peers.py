"""How unusual the amount of a claim is among its peers."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

_WIDEST, _NARROWEST = 0, 2

# Makes the median absolute deviation of a normal distribution comparable with its standard
# deviation, and the mean absolute deviation likewise (Iglewicz and Hoaglin).
MAD_FACTOR = 0.6745
MEAN_FACTOR = 1.253314


def peer_statistics(claims: DataFrame, minimum_peers: int) -> DataFrame:
    """`peers` and `of_z` of a claim with a positive incurred: statistics of groups it belongs to.

    Peers share policy type, cause and severity, and include the claim. `peers` is of that group;
    `of_z` of the one used for z = 0.6745 * (ln incurred - median) / MAD. A group of fewer than
    `minimum_peers` claims or with MAD = 0 gives way to the wider one (without severity, then
    without cause). If MAD is 0 in the widest, 1.253314 * mean absolute deviation takes its place;
    if that is 0 too, there is no z. Both are structs of narrowness, group, n, median (of incurred),
    ratio (incurred / median) and z, of which the greatest counts. Source: insurance model (b) 9.

    Args:
        claims: `claim_id`, `segment`, `cause_code`, `severity_code`, `incurred`.
        minimum_peers: how many claims a group needs for a z.
    """
    group = Window.partitionBy("group")
    measured = (
        _memberships(claims)
        .withColumns(
            {
                "n": F.count("*").over(group),
                "median": F.median("incurred").over(group),
                "deviation": F.col("ln") - F.median("ln").over(group),
            }
        )
        .withColumns(
            {
                "mad": F.median(F.abs("deviation")).over(group),
                "mean_deviation": F.avg(F.abs("deviation")).over(group),
            }
        )
        .withColumn("statistics", _statistics())
    )
    spread = (F.col("mad") > 0) | ((F.col("narrowness") == _WIDEST) & (F.col("mean_deviation") > 0))
    usable = (F.col("n") >= minimum_peers) & spread
    return measured.select(
        "claim_id",
        F.when(F.col("narrowness") == _NARROWEST, F.col("statistics")).alias("peers"),
        F.when(usable, F.col("statistics")).alias("of_z"),
    )


def _memberships(claims: DataFrame) -> DataFrame:
    """Every claim in its three groups, from the widest (narrowness 0) to the narrowest."""
    names = [F.coalesce(name, F.lit("none")) for name in ("segment", "cause_code", "severity_code")]
    groups = F.array(*(F.concat_ws(" / ", *names[:count]) for count in (1, 2, 3)))
    return (
        claims.where("incurred > 0")
        .select("claim_id", F.col("incurred").cast("double"), F.posexplode(groups))
        .withColumnsRenamed({"pos": "narrowness", "col": "group"})
        .withColumn("ln", F.ln("incurred"))
    )


def _statistics() -> Column:
    by_mad = F.lit(MAD_FACTOR) * F.col("deviation") / F.col("mad")
    by_mean = F.col("deviation") / (F.lit(MEAN_FACTOR) * F.expr("nullif(mean_deviation, 0)"))
    return F.struct(
        "narrowness",
        "group",
        "n",
        "median",
        (F.col("incurred") / F.col("median")).alias("ratio"),
        F.when(F.col("mad") > 0, by_mad).otherwise(by_mean).alias("z"),
    )
