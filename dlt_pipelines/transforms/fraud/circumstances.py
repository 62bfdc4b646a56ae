"""Circumstances of a claim: cover, earlier claims, unpaid premium.

Each function gives rows with `claim_id` and the columns it names: none, one or several for a
claim, of which the greatest value counts (see `flags.with_evidence`).
"""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.transforms.risk import NEVER_BOUND
from dlt_pipelines.transforms.versions import current


def claims_to_judge(
    positions: DataFrame, claims: DataFrame, policies: DataFrame, late_quantile: Decimal
) -> DataFrame:
    """One row per claim as at one valuation, with what only silver knows of it.

    Adds `severity_code`, `police_report`, `siu_status`; `party_id` and `cancelled_on` of the
    claim's own term; `days_since_inception`, from the first bound term of the policy number to
    the loss; and `usual_delay_days`, the quantile of the days to report over the claim's cause.
    Money of a claim that is not there is left out.
    """
    details = current(claims).select("claim_id", "severity_code", "police_report", "siu_status")
    terms = current(policies)
    own_term = terms.select("policy_id", "party_id", "cancelled_on")
    bound = terms.where(~F.col("status").isin(*NEVER_BOUND))
    first = bound.groupBy("policy_number").agg(F.min("start_date").alias("inception"))
    usual = F.percentile("report_lag_days", float(late_quantile))
    return (
        positions.join(details, "claim_id")
        .join(own_term, "policy_id", "left")
        .join(first, "policy_number", "left")
        .withColumn("days_since_inception", F.datediff("loss_date", "inception"))
        .withColumn("usual_delay_days", usual.over(Window.partitionBy("cause_code")))
        .drop("inception")
    )


def cover_at_loss(claims: DataFrame, segments: DataFrame, times: Decimal, days: int) -> DataFrame:
    """`is_covered`: some segment of the policy number was on risk at the loss; `increased_on`.

    `increased_on` is the last day, at most `days` before the loss, on which the claimed cover went
    up: its code was added after the inception of the contract, or its limit became `times` or more
    of what it was.

    Args:
        claims: `claim_id`, `policy_number`, `coverage_code`, `loss_date`.
        segments: segments on risk with their `limit_amount`.
        times: such as 1.25.
        days: such as 30.
    """
    of_contract = segments.select(
        "policy_number", "risk_from", "risk_to", "limit_amount",
        F.col("coverage_code").alias("code"),
    )  # fmt: skip
    same_cover = F.when(F.col("code") == F.col("coverage_code"), F.struct(*_STEP))
    return (
        claims.select("claim_id", "policy_number", "coverage_code", "loss_date")
        .join(of_contract, "policy_number")
        .groupBy("claim_id", "loss_date")
        .agg(
            F.max(F.expr("risk_from <= loss_date AND loss_date < risk_to")).alias("covered"),
            F.min("risk_from").alias("inception"),
            F.collect_set(same_cover).alias("steps"),
        )
        .select(
            "claim_id",
            F.when(F.col("covered"), True).alias("is_covered"),
            _last_increase(times, days).alias("increased_on"),
        )
    )


_STEP = ("risk_from", "limit_amount")


def _last_increase(times: Decimal, days: int) -> Column:
    """The limit of a step is compared with the latest earlier one, which sorts last."""
    return F.expr(
        f"""array_max(transform(filter(
              transform(steps, step -> struct(
                step.risk_from, step.limit_amount,
                array_max(filter(steps, earlier -> earlier.risk_from < step.risk_from)) AS before)),
              step -> datediff(loss_date, step.risk_from) BETWEEN 0 AND {days} AND
                if(step.before IS NULL, step.risk_from > inception,
                   step.limit_amount >= {times} * step.before.limit_amount)),
            step -> step.risk_from))"""
    )


def repeats(claims: DataFrame, claim_parties: DataFrame, days: int) -> DataFrame:
    """`party_claims`: the claims of one of its parties with a loss in the `days` to this one.

    Counted are claims of the policyholder and of people involved in any role but witness, this
    claim included.
    """
    dated = claims.selectExpr("claim_id", "party_id", "unix_date(loss_date) AS day")
    involved = claim_parties.where("role <> 'WITNESS'").select("claim_id", "party_id")
    pairs = dated.unionByName(involved.join(dated.drop("party_id"), "claim_id"))
    window = Window.partitionBy("party_id").orderBy("day").rangeBetween(-days, 0)
    return pairs.where("party_id IS NOT NULL").select(
        "claim_id", F.size(F.collect_set("claim_id").over(window)).alias("party_claims")
    )


def overdue_premium(
    claims: DataFrame, invoices: DataFrame, payments: DataFrame, days: int
) -> DataFrame:
    """`overdue_since`: the due date of an invoice of the term, unpaid for over `days` at the loss.

    Unpaid: settled payments made by the day of the loss are less than the amount.
    """
    due = invoices.where("status <> 'VOID'").select("invoice_id", "policy_id", "due_date", "amount")
    late = (
        claims.select("claim_id", "policy_id", "loss_date")
        .join(due, "policy_id")
        .where(F.datediff("loss_date", "due_date") > days)
    )
    settled = payments.where("status = 'SETTLED'").select(
        "invoice_id", F.to_date("paid_at").alias("paid_on"), F.col("amount").alias("paid_amount")
    )
    in_time = F.when(F.col("paid_on") <= F.col("loss_date"), F.col("paid_amount")).otherwise(0)
    return (
        late.join(settled, "invoice_id", "left")
        .groupBy("claim_id", "invoice_id", "due_date", "amount")
        .agg(F.sum(in_time).alias("paid_in_time"))
        .where("paid_in_time < amount")
        .select("claim_id", F.col("due_date").alias("overdue_since"))
    )
