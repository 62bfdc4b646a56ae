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

from local_shim.dms.settings.document import Document
from local_shim.dms.settings.rules import read_table_mapping

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
def template() -> dict[str, Any]:
    text = TEMPLATE.read_text()
    return dict(yaml.load(text, _Loader))


def properties(name: str) -> dict[str, Any]:
    return dict(template()["Resources"][name]["Properties"])


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
    assert properties(resource)["TableMappings"] == ["ByEngine", "SourceEngine", "TableMappings"]
    assert json.loads(properties(resource)[field]) == settings("task-settings.json")


def test_files_look_as_the_stand_in_writes_them() -> None:
    expected = {k: v for k, v in settings("s3-settings.json").items() if k not in OTHERWISE}
    assert {key: properties("Target")["S3Settings"].get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("engine", "file"),
    [
        ("postgres", "table-mappings.json"),
        ("mysql", "mysql/table-mappings.json"),
        ("oracle", "oracle/table-mappings.json"),
    ],
)
def test_each_engine_has_its_mappings(engine: str, file: str) -> None:
    mappings = template()["Mappings"]["ByEngine"][engine]["TableMappings"]
    assert json.loads(mappings) == settings(file)


@pytest.mark.parametrize(
    ("field", "file"),
    [
        ("PostgreSqlSettings", "postgresql-settings.json"),
        ("MySqlSettings", "mysql/mysql-settings.json"),
        ("OracleSettings", "oracle/oracle-settings.json"),
    ],
)
def test_each_engine_has_its_settings(field: str, file: str) -> None:
    _, engine_settings, _ = properties("Source")[field]
    expected = settings(file)
    assert {key: engine_settings.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("file", "schema", "table", "column"),
    [
        ("mysql/table-mappings.json", "insurance", "policy", "policy_id"),
        ("oracle/table-mappings.json", "INSURANCE", "POLICY", "POLICY_ID"),
    ],
)
def test_files_of_another_engine_lie_where_the_pipeline_reads(
    file: str, schema: str, table: str, column: str
) -> None:
    mapping = read_table_mapping(Document(settings(file), file))
    plan = mapping.plan(schema, table, [column])
    assert mapping.selects(schema, table)
    assert (plan.schema, plan.table, plan.columns) == ("public", "policy", ("policy_id",))


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


def test_a_serverless_replication_has_the_alarms_of_an_instance() -> None:
    rules = ("Threshold", "EvaluationPeriods", "TreatMissingData", "AlarmActions")
    for name in ("SourceLatencyAlarm", "TargetLatencyAlarm"):
        of_instance, serverless = properties(name), properties(f"Serverless{name}")
        (metric,) = serverless["Metrics"]
        assert metric["Expression"] == f'SELECT MAX({of_instance["MetricName"]}) FROM "AWS/DMS"'
        assert [serverless[rule] for rule in rules] == [of_instance[rule] for rule in rules]
