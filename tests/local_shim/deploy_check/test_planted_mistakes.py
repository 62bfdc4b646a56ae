"""A bundle that is right, with one mistake planted: the condition, the line, what is said."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_shim.deploy_check.check import check_bundle
from local_shim.errors import UsageError
from tests.local_shim.cli.command import dlt_local

pytest.importorskip("databricks.sdk")

Plant = Callable[..., Path]


@dataclass(frozen=True)
class Mistake:
    """A text of the bundle, what stands there instead, and what is said about it."""

    before: str
    after: str
    condition: str
    line: str
    message: str


MISTAKES = {
    "a field with a typo": Mistake(
        "serverless: true", "serverles: true", "UNKNOWN_FIELD", "all.yml:11", "'serverless'"
    ),
    "on as a key": Mistake(
        "serverless: true", "on: push", "UNKNOWN_FIELD", "all.yml:11", "no field 'on'"
    ),
    "a root key with a typo": Mistake(
        "variables:", "variabels:", "UNKNOWN_KEY", "databricks.yml:5", "'variables'"
    ),
    "a resource type with a typo": Mistake(
        "  pipelines:\n", "  pipeline:\n", "UNKNOWN_RESOURCE_TYPE", "all.yml:6", "'pipelines'"
    ),
    "a text for a number": Mistake(
        "_seconds: 300", "_seconds: soon", "WRONG_TYPE", "all.yml:24", "a whole number"
    ),
    "a word for a bool": Mistake(
        "serverless: true", "serverless: maybe", "WRONG_TYPE", "all.yml:11", "true or false"
    ),
    "a scalar for a list": Mistake(
        "      tasks:\n",
        "      email_notifications: {on_failure: a@b.c}\n      tasks:\n",
        "WRONG_TYPE",
        "all.yml:25",
        "a list",
    ),
    "a word that an enum lacks": Mistake(
        "      tasks:\n",
        "      performance_target: STANDART\n      tasks:\n",
        "WRONG_VALUE",
        "all.yml:25",
        "'STANDARD'",
    ),
    "a required field that is missing": Mistake(
        "      catalog_name: ${var.catalog}\n", "", "FIELD_MISSING", "all.yml:3", "'catalog_name'"
    ),
    "a mode that does not exist": Mistake(
        "mode: production", "mode: prod", "WRONG_VALUE", "databricks.yml:13", ", production"
    ),
    "a privilege that does not exist": Mistake(
        "      name: shop\n",
        "      name: shop\n      grants: [{principal: a, privileges: [SELET]}]\n",
        "WRONG_VALUE",
        "all.yml:6",
        "'SELECT'",
    ),
    "a permission level that does not exist": Mistake(
        "serverless: true",
        "permissions: [{group_name: a, level: CAN_RUNN}]",
        "WRONG_VALUE",
        "all.yml:11",
        "'CAN_RUN'",
    ),
    "a reference to nothing": Mistake(
        "resources.pipelines.orders.id",
        "resources.pipelines.order.id",
        "UNKNOWN_REFERENCE",
        "all.yml:28",
        "'orders'",
    ),
    "a reference to a field that is not there": Mistake(
        "resources.schemas.tables.name",
        "resources.schemas.tables.nam",
        "UNKNOWN_REFERENCE",
        "all.yml:10",
        "'name'",
    ),
    "a reference of the wrong type": Mistake(
        "resources.pipelines.orders.id",
        "resources.jobs.refresh.id",
        "REFERENCE_OF_WRONG_TYPE",
        "all.yml:28",
        "takes one of pipelines",
    ),
    "references in a circle": Mistake(
        "default: main",
        "default: ${var.catalog}",
        "REFERENCE_CIRCLE",
        "databricks.yml:7",
        "var.catalog → var.catalog",
    ),
    "a variable that is not declared": Mistake(
        "catalog: ${var.catalog}\n      schema",
        "catalog: ${var.catalogue}\n      schema",
        "UNKNOWN_VARIABLE",
        "all.yml:9",
        "'catalog'",
    ),
    "a variable without a value": Mistake(
        "default: main",
        "description: where tables go",
        "VARIABLE_WITHOUT_VALUE",
        "databricks.yml:6",
        "--var catalog=VALUE",
    ),
    "a key that stands twice": Mistake(
        "serverless: true", "name: second", "BUNDLE_WARNING", "all.yml:11", "stands twice"
    ),
    "a resource key used for two types": Mistake(
        "    refresh:\n", "    orders:\n", "RESOURCE_DEFINED_TWICE", "all.yml:19", "'orders'"
    ),
    "a tab": Mistake(
        "bundle:\n  name: shop",
        "bundle:\n\tname: shop",
        "YAML_BROKEN",
        "databricks.yml:2",
        "spaces",
    ),
    "a root_path that does not exist": Mistake(
        "root_path: ../src", "root_path: ../scr", "PATH_NOT_FOUND", "all.yml:12", "'src'"
    ),
    "a file of a task that does not exist": Mistake(
        "reconcile.sql", "reconcil.sql", "PATH_NOT_FOUND", "all.yml:35", "'reconcile.sql'"
    ),
    "sources that are not uploaded": Mistake(
        "include:\n",
        "sync: {paths: [resources]}\ninclude:\n",
        "PATH_NOT_UPLOADED",
        "all.yml:15",
        "`sync.paths`",
    ),
    "a glob that is not a folder": Mistake(
        "include: ../src/**",
        "include: ../src/*.py",
        "GLOB_FORM",
        "all.yml:15",
        "../folder/**",
    ),
    "clusters of a serverless pipeline": Mistake(
        "serverless: true",
        "serverless: true\n      clusters: [{num_workers: 1}]",
        "SERVERLESS_WITH_CLUSTERS",
        "all.yml:12",
        "serverless: false",
    ),
    "an empty range of workers": Mistake(
        "serverless: true",
        "clusters: [{autoscale: {min_workers: 4, max_workers: 2}}]",
        "AUTOSCALE_RANGE",
        "all.yml:11",
        "more than max_workers 2",
    ),
    "enhanced autoscaling of maintenance": Mistake(
        "serverless: true",
        "clusters: [{label: maintenance, autoscale: "
        "{min_workers: 1, max_workers: 2, mode: ENHANCED}}]",
        "AUTOSCALE_OF_MAINTENANCE",
        "all.yml:11",
        "LEGACY",
    ),
    "development in production": Mistake(
        "serverless: true",
        "development: true",
        "DEVELOPMENT_IN_PRODUCTION",
        "all.yml:11",
        "'prod'",
    ),
    "production without a root_path": Mistake(
        "    workspace:\n      root_path: /Workspace/shop\n",
        "",
        "PRODUCTION_WITHOUT_ROOT_PATH",
        "databricks.yml:12",
        "workspace.root_path",
    ),
    "a secret in the configuration": Mistake(
        "shop.landing: /Volumes",
        "shop.password: /Volumes",
        "SECRET_IN_CONFIGURATION",
        "all.yml:17",
        "{{secrets/",
    ),
    "a notification that does not exist": Mistake(
        "serverless: true",
        "notifications: [{alerts: [on-failure]}]",
        "WRONG_VALUE",
        "all.yml:11",
        "'on-flow-failure'",
    ),
    "a trigger and a schedule": Mistake(
        "      tasks:\n",
        '      schedule: {quartz_cron_expression: "0 0 5 * * ?", timezone_id: UTC}\n      tasks:\n',
        "SEVERAL_STARTS",
        "all.yml:19",
        "trigger and schedule",
    ),
    "a trigger of a continuous pipeline": Mistake(
        "serverless: true",
        "continuous: true",
        "CONTINUOUS_WITH_TRIGGER",
        "all.yml:28",
        "'orders'",
    ),
    "a cron expression without seconds": Mistake(
        "      trigger:\n",
        "      schedule: {quartz_cron_expression: 0 5 * * *, timezone_id: UTC}\n      trigger:\n",
        "CRON_FORM",
        "all.yml:21",
        "seconds first",
    ),
    "a wait that is too short": Mistake(
        "_seconds: 300", "_seconds: 30", "WAIT_TOO_SHORT", "all.yml:24", "60 seconds"
    ),
    "a watched folder without a slash": Mistake(
        "url: /Volumes/main/shop/landing/",
        "url: /Volumes/main/shop/landing",
        "FILE_ARRIVAL_URL",
        "all.yml:23",
        "slash",
    ),
    "a task that waits for nobody": Mistake(
        "            - task_key: update\n",
        "            - task_key: updat\n",
        "UNKNOWN_TASK_KEY",
        "all.yml:31",
        "'update'",
    ),
    "a task that waits for itself": Mistake(
        "            - task_key: update\n",
        "            - task_key: reconcile\n",
        "TASKS_IN_CIRCLE",
        "all.yml:31",
        "reconcile",
    ),
    "a task with an environment that is not there": Mistake(
        "        - task_key: reconcile\n",
        "        - task_key: reconcile\n          environment_key: default\n",
        "UNKNOWN_TASK_KEY",
        "all.yml:30",
        "environment_key",
    ),
    "a secret scope that all developers share": Mistake(
        "  jobs:\n",
        "  secret_scopes: {keys: {name: shop}}\n  jobs:\n",
        "NAME_WITHOUT_PREFIX",
        "all.yml:18",
        "${workspace.current_user.short_name}",
    ),
    "a scope that all developers of a target share": Mistake(
        "  jobs:\n",
        "  secret_scopes: {keys: {name: 'shop-${bundle.target}'}}\n  jobs:\n",
        "NAME_WITHOUT_PREFIX",
        "all.yml:18",
        "'shop-dev'",
    ),
    "a volume that all developers share": Mistake(
        "  jobs:\n",
        "  volumes: {landing: {catalog_name: main, schema_name: shop, name: files}}\n  jobs:\n",
        "NAME_WITHOUT_PREFIX",
        "all.yml:18",
        "schema of the bundle",
    ),
    "one identity for a bundle with monitors": Mistake(
        "include:\n",
        "run_as: {user_name: a@b.c}\nresources: {quality_monitors: {kpi: {table_name: a.b.c, "
        "assets_dir: /a, output_schema_name: a.b, snapshot: {}}}}\ninclude:\n",
        "RUN_AS_FOR_ALL",
        "databricks.yml:3",
        "quality_monitors",
    ),
    "two identities": Mistake(
        "serverless: true",
        "run_as: {user_name: a@b.c, service_principal_name: b}",
        "SEVERAL_IDENTITIES",
        "all.yml:11",
        "user_name and service_principal_name",
    ),
    "a host with a reference": Mistake(
        "    mode: development\n",
        "    mode: development\n    workspace: {host: 'https://${var.catalog}'}\n",
        "REFERENCE_IN_LOGIN",
        "databricks.yml:11",
        "DATABRICKS_HOST",
    ),
    "SQL that does not parse": Mistake(
        "SELECT 1", "SELECT (1", "SQL_BROKEN", "reconcile.sql:1", "Expecting )"
    ),
    "an alert that does not parse": Mistake(
        "  jobs:\n",
        "  alerts: {silence: {display_name: a, warehouse_id: '1', query_text: 'SELECT (1'}}\n"
        "  jobs:\n",
        "SQL_BROKEN",
        "all.yml:18",
        "Expecting )",
    ),
}


def problems(folder: Path) -> list[str]:
    """What is said about the bundle, one text a problem."""
    with pytest.raises(UsageError) as caught:
        check_bundle(folder, environ={})
    text = str(caught.value)
    return [f"[{each}" for each in text.split("[") if each and not each.startswith("SPEC_INVALID")]


def test_nothing_is_wrong_with_the_bundle_that_mistakes_are_planted_in(plant: Plant) -> None:
    assert [each.bundle.target for each in check_bundle(plant(), environ={})] == ["dev", "prod"]


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found(plant: Plant, mistake: Mistake) -> None:
    listed = problems(plant(mistake.before, mistake.after))
    same = [each for each in listed if each.startswith(f"[{mistake.condition}]")]
    assert any(mistake.line in each and mistake.message in each for each in same), listed


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("{", ["JSON_BROKEN"]),
        ('{"datasets": [{"name": "kpi", "queryLines": ["SELECT ", "(1"]}]}', ["SQL_BROKEN"]),
        (
            '{"datasets": [{"name": "kpi", "query": "SELECT 1"}], "pages": [{"layout": [{"widget":'
            ' {"queries": [{"query": {"datasetName": "kpy"}}]}}]}]}',
            ["DATASET_UNKNOWN"],
        ),
        ("[]", []),
    ],
)
def test_a_broken_dashboard_is_found(plant: Plant, text: str, conditions: list[str]) -> None:
    folder = plant(
        "  jobs:\n",
        "  dashboards: {kpi: {display_name: a, warehouse_id: '1', file_path: kpi.lvdash.json}}\n"
        "  jobs:\n",
    )
    (folder / "resources" / "kpi.lvdash.json").write_text(text)
    if conditions:
        assert [each.split("]")[0][1:] for each in problems(folder)] == conditions
    else:
        check_bundle(folder, environ={})


TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Landing:
    Type: AWS::S3::Bucket
    Properties: {BuketName: landing}
"""


def test_a_broken_template_is_found_together_with_a_broken_bundle(plant: Plant) -> None:
    pytest.importorskip("cfnlint")
    folder = plant("orders.id", "order.id")
    (folder / "resources" / "aws").mkdir()
    (folder / "resources" / "aws" / "bucket.yml").write_text(TEMPLATE)
    result = dlt_local("deploy-check", "--bundle", folder)
    assert (result.code, "UNKNOWN_REFERENCE" in result.err) == (2, True)
    assert "bucket.yml:5" in result.err and "'BuketName'" in result.err


def test_a_template_is_not_taken_for_checked_without_the_tool(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = plant()
    (folder / "resources" / "bucket.json").write_text('{"AWSTemplateFormatVersion": "2010-09-09"}')
    monkeypatch.setitem(sys.modules, "cfnlint.api", None)
    result = dlt_local("deploy-check", "--bundle", folder)
    assert (result.code, "CFN_LINT_NOT_INSTALLED" in result.err) == (2, True)


def test_all_mistakes_are_reported_at_once(plant: Plant) -> None:
    folder = plant("serverless: true", "serverles: true\n      edition: BEST\n      root_path2: a")
    conditions = [each.split("]")[0][1:] for each in problems(folder)]
    assert conditions == ["UNKNOWN_FIELD", "UNKNOWN_FIELD", "WRONG_VALUE"]


def test_a_value_on_the_command_line_is_used(plant: Plant) -> None:
    folder = plant("default: main", "description: where tables go")
    deployment = check_bundle(folder, "dev", {"catalog": "trial"}, environ={})[0]
    assert dict(deployment.of("pipelines"))["orders"].at("catalog").text() == "trial"  # type: ignore[union-attr]


def test_a_variable_that_a_workspace_answers_needs_no_value(plant: Plant) -> None:
    folder = plant("default: main", "lookup: {warehouse: small}")
    assert len(check_bundle(folder, environ={})) == 2


def test_the_command_says_what_it_checked(plant: Plant) -> None:
    result = dlt_local("deploy-check", "--bundle", plant())
    assert (result.code, result.lines[0]) == (0, "dev: 3 resources, nothing is wrong.")


def test_the_command_fails_with_the_problems_on_standard_error(plant: Plant) -> None:
    result = dlt_local("deploy-check", "--bundle", plant("orders.id", "order.id"))
    assert (result.code, result.out) == (2, "")
    assert "did you mean 'orders'?" in result.err


def test_one_target_can_be_checked_alone(plant: Plant) -> None:
    folder = plant("      root_path: /Workspace/shop\n", "      file_path: /Workspace/shop/files\n")
    assert dlt_local("deploy-check", "--bundle", folder, "--target", "dev").code == 0
    assert dlt_local("deploy-check", "--bundle", folder).code == 2
