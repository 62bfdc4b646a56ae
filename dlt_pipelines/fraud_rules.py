"""The fraud indicators: what they look for, their parameters and their points.

The points are prior judgement, to be recalibrated on the outcome of investigations
(claim.siu_status). A score refers a claim to a person; it never declines one. Gender, nationality
and a postal code alone are no input. Source: insurance model (b) 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class FraudRule:
    """One indicator. `rule_id` is its key in the configuration, `rule` its name in the flags.

    `parameter`, `window_days` and `minimum_peers` mean what `meaning` says; an unused one is 0.
    """

    rule_id: str
    rule: str
    points: int
    meaning: str
    parameter: Decimal = Decimal(0)
    window_days: int = 0
    minimum_peers: int = 0
    causes: tuple[str, ...] = ()
    active: bool = True


def _rule(
    rule: str,
    points: int,
    meaning: str,
    parameter: str = "0",
    window_days: int = 0,
    minimum_peers: int = 0,
    causes: tuple[str, ...] = (),
) -> FraudRule:
    number = Decimal(parameter)
    return FraudRule(rule, rule, points, meaning, number, window_days, minimum_peers, causes)


_WITHIN_A_MONTH = _rule(
    "early_claim", 20, "loss at most window_days after the first inception", window_days=30
)
_WITHIN_TWO_MONTHS = FraudRule(
    "early_claim_later", "early_claim", 10, _WITHIN_A_MONTH.meaning, window_days=60
)

FRAUD_RULES: tuple[FraudRule, ...] = (
    _rule("loss_before_inception", 40, "loss before the first term of the policy number"),
    _rule("outside_cover", 40, "loss later than that, but in no coverage segment"),
    _WITHIN_A_MONTH,
    _WITHIN_TWO_MONTHS,
    _rule(
        "cover_increase", 20,
        "cover added, or its limit multiplied by parameter, in the window_days before the loss",
        "1.25", window_days=30,
    ),
    _rule(
        "late_report", 10,
        "reported later than window_days and than the quantile `parameter` of the cause",
        "0.95", window_days=30,
    ),
    _rule(
        "repeat_claims", 15,
        "at least `parameter` claims of a party, not as witness, in window_days to this loss",
        "3", window_days=365,
    ),
    _rule(
        "amount_vs_peers", 15,
        "incurred above `parameter` times the median of minimum_peers or more peers",
        "3", minimum_peers=30,
    ),
    _rule(
        "robust_outlier", 15,
        "robust z of ln incurred beyond parameter, over minimum_peers or more peers",
        "3.5", minimum_peers=30,
    ),
    _rule(
        "shared_bank", 30,
        "a bank account on claims of `parameter` or more parties, households and policies", "2",
    ),
    _rule(
        "shared_phone", 15,
        "a telephone on claims of `parameter` or more parties, households and policies", "2",
    ),
    _rule(
        "shared_address", 10,
        "an address of claimants of `parameter` or more parties, households and policies", "2",
    ),
    _rule(
        "cancelled_then_claimed", 15,
        "reported after the cancellation with a loss in the window_days before it, or loss while"
        " an invoice was overdue for more than window_days",
        window_days=30,
    ),
    _rule("round_amount", 5, "incurred at least parameter and a multiple of it", "1000"),
    _rule(
        "no_police_report", 5, "one of the causes without a police report",
        causes=("THEFT", "INJURY"),
    ),
)  # fmt: skip
