"""What must hold in every row of a gold table: its expectations, which gold_dq_metric counts.

A row that breaks a rule stays in the table: gold shows what the source says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dlt_pipelines.quality import Rules


@dataclass(frozen=True)
class GoldRules:
    """Rules by their name, as SQL; and the column with the money of a row, None if it has none."""

    rules: Rules
    at_stake: str | None = None


GOLD_RULES: Mapping[str, GoldRules] = {
    "gold_premium_month": GoldRules(
        {
            "earned is written less the change of unearned": "earned_premium_accounting"
            " = written_premium - (unearned_premium_end - unearned_premium_start)"
        },
        "earned_premium_accounting",
    ),
    "gold_exposure_segment": GoldRules(
        {
            "a year holds at most itself": "exposure BETWEEN 0 AND unit_count",
            "policy known": "policy_type <> 'UNKNOWN'",
        }
    ),
    "gold_inforce_movement": GoldRules(
        {
            "movement balances": "closing_in_force = opening_in_force + new_business + reinstated"
            " - cancelled - lapsed - surrendered - claims",
            "premium balances": "closing_premium = opening_premium + new_premium - exited_premium"
            " + premium_change",
        },
        "closing_premium",
    ),
    "gold_surrender_year": GoldRules({"survival is a share": "survival_end BETWEEN 0 AND 1"}),
    "gold_retention_cohort": GoldRules(
        {"renewed of expiring": "renewed <= expiring"}, "expiring_premium"
    ),
    "gold_agent_scorecard": GoldRules({"agent known": "agent_id IS NOT NULL"}, "written_premium"),
    "gold_claim_position": GoldRules(
        {
            "incurred adds up": "incurred = paid - recovered + case_reserve + recovery_reserve",
            "cap divides incurred": "incurred = incurred_capped + excess",
        },
        "incurred",
    ),
    "gold_claim_kpi": GoldRules(
        {"every claim is open or ended": "reported <= open + closed_with_payment"
         " + closed_no_payment"},
        "incurred",
    ),
    "gold_reserve_movement": GoldRules(
        {
            "movement balances": "closing_case_reserve = opening_case_reserve + set_up"
            " + strengthening - release - eroded_by_payment",
            "incurred adds up": "calendar_year_incurred = paid - recovered + reserve_change",
        },
        "closing_case_reserve",
    ),
    "gold_customer_360": GoldRules(
        {"party known": "age_band IS NOT NULL AND party_id IS NOT NULL"}, "in_force_premium"
    ),
    "gold_glm_exposure": GoldRules(
        {"loss meets exposure": "claim_count = 0 OR exposure > 0"}, "incurred"
    ),
    "gold_fund_valuation": GoldRules({"price not stale": "NOT is_stale"}, "value"),
    "gold_identity": GoldRules({"tables agree": "agrees"}, "difference"),
    "gold_reconciliation": GoldRules(
        {"what was counted arrived": "explanation NOT IN ('refused', 'not delivered')"},
        "missing_amount",
    ),
}  # fmt: skip


def rules_of(table: str) -> dict[str, str]:
    """The expectations of a gold table."""
    return dict(GOLD_RULES[table].rules)
