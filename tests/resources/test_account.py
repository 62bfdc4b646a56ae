"""What is made once in an account, because a bundle knows no such resource."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("databricks.sdk")

from databricks.sdk.service.billing import BudgetPolicy, CreateBudgetConfigurationBudget

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "resources" / "account"


def body(name: str) -> dict[str, Any]:
    """What a file sends, without the one key around it."""
    (content,) = json.loads((FOLDER / name).read_text()).values()
    return dict(content)


def default(variable: str) -> str:
    """The default of a variable of the bundle."""
    bundle = yaml.safe_load((PROJECT / "databricks.yml").read_text())
    return str(bundle["variables"][variable]["default"])


def test_the_budget_policy_carries_the_tag_of_the_bundle() -> None:
    content = body("insurance.budget_policy.json")
    policy = BudgetPolicy.from_dict(content)
    assert policy.as_dict() == content  # the SDK drops a field or a value that it does not know
    tags = {tag.key: tag.value for tag in policy.custom_tags or ()}
    assert tags == {"cost_center": default("cost_center")}


def test_the_budget_counts_what_carries_the_tag() -> None:
    content = body("insurance.budget.json")
    assert CreateBudgetConfigurationBudget.from_dict(content).as_dict() == content
    (tag,) = content["filter"]["tags"]
    assert (tag["key"], tag["value"]["values"]) == ("cost_center", [default("cost_center")])
    (alert,) = content["alert_configurations"]
    assert alert["action_configurations"][0]["target"] == default("on_call")
