"""Configuration keys of reserving and fraud rules: defaults, own values, and wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from dlt_pipelines import settings
from dlt_pipelines.assumptions import AnomalyLimits
from dlt_pipelines.fraud_rules import FRAUD_RULES


@pytest.fixture
def configured(spark: SparkSession) -> SparkSession:
    """A session whose configuration nobody else sees."""
    return spark.newSession()


def test_reserving_has_its_documented_defaults(configured: SparkSession) -> None:
    assert settings.tail_factor(configured) == Decimal("1.000")
    assert settings.ldf_average(configured) == "volume"
    assert settings.expected_loss_ratio(configured).general == Decimal("0.65")
    assert settings.selected_ldfs(configured) == []
    assert settings.fraud_bands(configured) == (60, 30)
    assert settings.stale_price_days(configured) == 5


def test_thresholds_have_their_documented_defaults(configured: SparkSession) -> None:
    assert settings.dms_null_value(configured) == "\\N"
    assert settings.mature_after_days(configured) == 30
    assert settings.full_credibility_claims(configured) == 1082
    assert settings.clv_tiers(configured) == (("PLATINUM", 10), ("GOLD", 30), ("SILVER", 70))
    assert settings.household_size(configured) == 12
    assert settings.life_policy_types(configured) == ("LIFE", "UNIT_LINKED")
    assert settings.days_to_book(configured) == 30
    assert settings.largest_price_move(configured) == Decimal("0.20")
    limits = AnomalyLimits(366, 8, 6, Decimal("3.5"), Decimal("0.001"), 10)
    assert settings.anomaly_limits(configured) == limits
    configured.conf.set("insurance.clv_tier.gold", "25")
    configured.conf.set("insurance.anomaly_z", "4")
    configured.conf.set("insurance.dms_null_value", "")
    assert settings.dms_null_value(configured) == ""
    assert settings.clv_tiers(configured)[1] == ("GOLD", 25)
    assert settings.anomaly_limits(configured).z == 4


def test_a_factor_is_set_by_segment_measure_and_age(configured: SparkSession) -> None:
    configured.conf.set("insurance.selected_ldf.MOTOR.paid.24", "1.085")
    assert settings.selected_ldfs(configured) == [("MOTOR", "paid", 24, 1.085)]


def test_fraud_rules_are_the_defaults_and_the_configuration_over_them(
    configured: SparkSession,
) -> None:
    assert settings.fraud_rules(configured) == {rule.rule_id: rule for rule in FRAUD_RULES}
    configured.conf.set("insurance.fraud_rule.shared_bank.points", "40")
    configured.conf.set("insurance.fraud_rule.round_amount.active", "false")
    configured.conf.set("insurance.fraud_rule.no_police_report.causes", "THEFT, FIRE")
    rules = settings.fraud_rules(configured)
    assert rules["shared_bank"].points == 40
    assert rules["round_amount"].active is False
    assert rules["no_police_report"].causes == ("THEFT", "FIRE")


@pytest.mark.parametrize(
    ("key", "text", "read"),
    [
        ("insurance.tail_factor", "none", settings.tail_factor),
        ("insurance.selected_ldf.MOTOR.paid", "1.1", settings.selected_ldfs),
        ("insurance.selected_ldf.MOTOR.paid.24", "more", settings.selected_ldfs),
        ("insurance.fraud_rule.shared_bank.points", "many", settings.fraud_rules),
        ("insurance.fraud_rule.shared_bank.colour", "red", settings.fraud_rules),
        ("insurance.fraud_rule.shared_car.points", "5", settings.fraud_rules),
        ("insurance.fraud_rule.shared_bank.active", "maybe", settings.fraud_rules),
        ("insurance.fraud_band.high", "6.5", settings.fraud_bands),
        ("insurance.clv_tier.gold", "a third", settings.clv_tiers),
        ("insurance.anomaly_tail", "small", settings.anomaly_limits),
    ],
)
def test_a_value_that_cannot_be_read_is_named(
    configured: SparkSession, key: str, text: str, read: Callable[[SparkSession], Any]
) -> None:
    configured.conf.set(key, text)
    with pytest.raises(ValueError, match=key.replace(".", r"\.")):
        read(configured)
