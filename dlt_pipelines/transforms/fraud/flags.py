"""Which claims show which fraud indicators, and what they score."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.fraud_rules import FraudRule

Rules = Mapping[str, FraudRule]

_STATISTICS = (
    "STRUCT<narrowness: INT, group: STRING, n: BIGINT, median: DOUBLE, ratio: DOUBLE, z: DOUBLE>"
)
EVIDENCE = {
    "is_covered": "BOOLEAN",
    "increased_on": "DATE",
    "party_claims": "BIGINT",
    "overdue_since": "DATE",
    "bank_sharers": "BIGINT",
    "phone_sharers": "BIGINT",
    "address_sharers": "BIGINT",
    "peers": _STATISTICS,
    "of_z": _STATISTICS,
}


def with_evidence(claims: DataFrame, evidence: list[DataFrame]) -> DataFrame:
    """Claims with every column of EVIDENCE: the greatest value that a frame has for the claim.

    Null where no frame says anything. The frames are stacked and grouped once instead of joined
    one by one.
    """
    stacked = reduce(lambda one, two: one.unionByName(two, allowMissingColumns=True), evidence)
    columns = [F.max(name).cast(kind).alias(name) for name, kind in EVIDENCE.items()]
    return claims.join(stacked.groupBy("claim_id").agg(*columns), "claim_id", "left")


def flags(claims: DataFrame, rules: Rules) -> DataFrame:
    """One row per claim and rule it shows, with the points and what they rest on.

    Args:
        claims: from `circumstances.claims_to_judge` and `with_evidence`.
        rules: by `rule_id`; a rule that is not active raises no flag.
    """
    conditions = _conditions(rules)
    raised = [
        _flag(rules[key], condition, _WORDING[rules[key].rule])
        for key, condition in conditions.items()
        if rules[key].active
    ]
    holding = F.filter(F.array(*raised), lambda flag: flag["holds"])
    return (
        claims.select("claim_id", "policy_id", "days_since_inception", F.inline(holding))
        .drop("holds")
        .select(
            "claim_id", "rule", "points", "policy_id", "days_since_inception", "peer_group",
            "peer_n", "peer_median", "peer_ratio", "robust_z", "sharers", "evidence",
        )
    )  # fmt: skip


def _conditions(rules: Rules) -> dict[str, Column]:
    """When each rule holds; null counts as no. Every parameter comes from the rules."""
    early, later = rules["early_claim"], rules["early_claim_later"]
    window = rules["cancelled_then_claimed"].window_days
    since = F.col("days_since_inception")
    unit = F.lit(rules["round_amount"].parameter)
    incurred = F.col("incurred")
    cancelled = F.col("cancelled_on")
    after_cancelling = (F.col("reported_on") > cancelled) & F.datediff(
        cancelled, F.col("loss_date")
    ).between(0, window)
    first_day = early.window_days + 1 if early.active else 0
    usual = F.greatest(F.lit(rules["late_report"].window_days), F.col("usual_delay_days"))
    return {
        "loss_before_inception": since < 0,
        "outside_cover": (since >= 0) & F.col("is_covered").isNull(),
        "early_claim": since.between(0, early.window_days),
        "early_claim_later": since.between(first_day, later.window_days),
        "cover_increase": F.col("increased_on").isNotNull(),
        "late_report": F.col("report_lag_days") > usual,
        "repeat_claims": F.col("party_claims") >= F.lit(rules["repeat_claims"].parameter),
        "amount_vs_peers": (F.col("peers.n") >= rules["amount_vs_peers"].minimum_peers)
        & (F.col("peers.ratio") > F.lit(rules["amount_vs_peers"].parameter)),
        "robust_outlier": F.abs("of_z.z") > F.lit(rules["robust_outlier"].parameter),
        "shared_bank": F.col("bank_sharers") >= F.lit(rules["shared_bank"].parameter),
        "shared_phone": F.col("phone_sharers") >= F.lit(rules["shared_phone"].parameter),
        "shared_address": F.col("address_sharers") >= F.lit(rules["shared_address"].parameter),
        "cancelled_then_claimed": F.coalesce(after_cancelling, F.lit(False))
        | F.col("overdue_since").isNotNull(),
        "round_amount": (incurred >= unit) & (incurred % unit == 0),
        "no_police_report": F.col("cause_code").isin(*rules["no_police_report"].causes)
        & (F.coalesce("police_report", F.lit("NO")) != "YES"),
    }


# SQL of the evidence, and the columns of peers or sharers that belong to a rule.
_COVER = "concat_ws(' ', 'loss', loss_date, 'is day', days_since_inception, 'of the contract')"
_WORDING: dict[str, tuple[str, str]] = {
    "loss_before_inception": ("", _COVER),
    "outside_cover": ("", "concat_ws(' ', 'no segment on risk on', loss_date)"),
    "early_claim": ("", _COVER),
    "cover_increase": ("", "concat_ws(' ', 'cover went up', increased_on, 'loss', loss_date)"),
    "late_report": (
        "",
        "concat_ws(' ', 'reported', report_lag_days, 'days after the loss, usual for', cause_code,"
        " 'is up to', round(usual_delay_days, 1))",
    ),
    "repeat_claims": ("", "concat_ws(' ', party_claims, 'claims of a party within the window')"),
    "amount_vs_peers": ("peers", "concat_ws(' ', 'incurred', incurred, 'among', peers.n, 'peers')"),
    "robust_outlier": ("of_z", "concat_ws(' ', 'incurred', incurred, 'among', of_z.n, 'peers')"),
    "shared_bank": ("bank", "'bank account met with several policyholders'"),
    "shared_phone": ("phone", "'telephone met with several policyholders'"),
    "shared_address": ("address", "'address met with several policyholders'"),
    "cancelled_then_claimed": (
        "",
        "concat_ws(', ', concat('cancelled ', cancelled_on), concat('invoice overdue since ',"
        " overdue_since), concat('loss ', loss_date), concat('reported ', reported_on))",
    ),
    "round_amount": ("", "concat('incurred ', incurred)"),
    "no_police_report": ("", "concat_ws(' ', cause_code, 'without a police report')"),
}


def _flag(rule: FraudRule, holds: Column, wording: tuple[str, str]) -> Column:
    """A flag as a struct; its evidence holds dates and figures, never an identifier."""
    source, evidence = wording
    is_peers = source in ("peers", "of_z")
    statistics = {
        f"peer_{part}": (f"{source}.{part}" if is_peers else "NULL", kind)
        for part, kind in (("group", "STRING"), ("n", "BIGINT"), ("median", "DOUBLE"),
                           ("ratio", "DOUBLE"))
    }  # fmt: skip
    statistics["robust_z"] = ("of_z.z" if source == "of_z" else "NULL", "DOUBLE")
    sharers = f"{source}_sharers" if source in ("bank", "phone", "address") else "NULL"
    statistics["sharers"] = (sharers, "BIGINT")
    return F.struct(
        F.coalesce(holds, F.lit(False)).alias("holds"),
        F.lit(rule.rule).alias("rule"),
        F.lit(rule.points).cast("bigint").alias("points"),
        *(F.expr(f"CAST({sql} AS {kind})").alias(name) for name, (sql, kind) in statistics.items()),
        F.expr(evidence).alias("evidence"),
    )


def scores(claims: DataFrame, raised: DataFrame, high: int, medium: int) -> DataFrame:
    """One row per claim: the sum of its points, at most 100, and the band it falls into.

    Args:
        claims: `claim_id`, `siu_status`.
        raised: from `flags`.
        high: HIGH from this score on.
        medium: MEDIUM from this score on; LOW below.
    """
    summed = raised.groupBy("claim_id").agg(
        F.sum("points").alias("points"), F.sort_array(F.collect_list("rule")).alias("rules")
    )
    score = F.least(F.coalesce("points", F.lit(0)), F.lit(100))
    band = F.when(score >= high, "HIGH").when(score >= medium, "MEDIUM").otherwise("LOW")
    return claims.join(summed, "claim_id", "left").select(
        "claim_id",
        score.cast("bigint").alias("score"),
        band.alias("band"),
        F.coalesce("rules", F.array().cast("array<string>")).alias("rules"),
        "siu_status",
    )
