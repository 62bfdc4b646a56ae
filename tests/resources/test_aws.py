"""The CloudFormation template: valid, and with the settings that the stand-in reads."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "resources" / "aws" / "dms.yml"
DMS = PROJECT / "resources" / "dms"
# What a bucket of production has otherwise: its own name, fewer files, its own key.
OTHERWISE = {"BucketName", "CdcMaxBatchInterval", "CdcMinFileSize", "EncryptionMode"}


class _Loader(yaml.SafeLoader):
    """Reads `!Ref x` and the other short functions as their argument."""


def _argument(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _argument)


@cache
def properties(name: str) -> dict[str, Any]:
    template = yaml.load(TEMPLATE.read_text(), _Loader)
    resource: dict[str, Any] = template["Resources"][name]
    return dict(resource["Properties"])


def settings(name: str) -> Any:
    return json.loads((DMS / name).read_text())


def test_cfn_lint_is_silent() -> None:
    tool = Path(sys.executable).with_name("cfn-lint")
    if not tool.exists():
        pytest.skip("cfn-lint is not installed")
    command = [str(tool), "--regions", "eu-west-2", "--", str(TEMPLATE)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (0, "")


@pytest.mark.parametrize(
    ("resource", "field"),
    [("Task", "ReplicationTaskSettings"), ("ServerlessReplication", "ReplicationSettings")],
)
def test_the_task_has_the_settings_of_the_stand_in(resource: str, field: str) -> None:
    assert json.loads(properties(resource)["TableMappings"]) == settings("table-mappings.json")
    assert json.loads(properties(resource)[field]) == settings("task-settings.json")


def test_files_look_as_the_stand_in_writes_them() -> None:
    expected = {k: v for k, v in settings("s3-settings.json").items() if k not in OTHERWISE}
    assert {key: properties("Target")["S3Settings"].get(key) for key in expected} == expected


def test_the_source_is_read_as_by_the_stand_in() -> None:
    expected = settings("postgresql-settings.json")
    assert {
        key: properties("Source")["PostgreSqlSettings"].get(key) for key in expected
    } == expected


def test_databricks_cannot_change_a_file() -> None:
    actions = {
        action
        for policy in properties("ReaderRole")["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }
    writing = {"s3:PutObject", "s3:DeleteObject", "s3:*", "kms:Encrypt", "kms:GenerateDataKey*"}
    assert actions & writing == set()


def test_nothing_is_public() -> None:
    assert set(properties("Bucket")["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties("Instance")["PubliclyAccessible"] is False


def test_a_dropped_table_of_the_source_deletes_no_file() -> None:
    policy = json.loads(properties("Task")["ReplicationTaskSettings"])
    handling = policy["ChangeProcessingDdlHandlingPolicy"]
    assert (handling["HandleSourceTableDropped"], handling["HandleSourceTableTruncated"]) == (
        False,
        False,
    )
