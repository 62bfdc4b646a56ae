"""The keys of databricks.yml outside `resources`, and those of its targets.

Keys: Databricks CLI 1.13, bundle configuration.
"""

from __future__ import annotations

from typing import Any

from local_shim.deploy_check.deployment import Deployment
from local_shim.deploy_check.field_types import check_choice, check_value
from local_shim.deploy_check.resource_types import Record
from local_shim.errors import close_match
from local_shim.pipeline_spec.document.problems import Problems

_ANY: dict[str, Any] = {}
_IDENTITIES = dict.fromkeys(("user_name", "service_principal_name", "group_name"), str)
_RUN_AS = Record("run_as", _IDENTITIES)
_PERMISSIONS = [Record("permission", {**_IDENTITIES, "level": str}, frozenset({"level"}))]
_BUNDLE = Record(
    "bundle",
    {
        "name": str,
        "uuid": str,
        "databricks_cli_version": str,
        "engine": str,
        "cluster_id": str,
        "git": Record("git", {"origin_url": str, "branch": str}),
        "deployment": Record(
            "deployment",
            {
                "fail_on_active_runs": bool,
                "lock": Record("lock", {"enabled": bool, "force": bool}),
            },
        ),
    },
    frozenset({"name"}),
)
_WORKSPACE_PATHS = ("root_path", "file_path", "resource_path", "artifact_path", "state_path")
_LOGIN = ("host", "profile", "client_id", "auth_type", "google_service_account", "account_id")
_AZURE = ("azure_workspace_resource_id", "azure_client_id", "azure_tenant_id", "azure_environment")
_WORKSPACE = Record(
    "workspace", dict.fromkeys((*_WORKSPACE_PATHS, *_LOGIN, *_AZURE, "workspace_id"), str)
)
_PRESETS = Record(
    "presets",
    {
        "name_prefix": str,
        "trigger_pause_status": str,
        "tags": dict[str, str],
        "pipelines_development": bool,
        "jobs_max_concurrent_runs": int,
        "source_linked_deployment": bool,
        "artifacts_dynamic_version": bool,
    },
)
_SYNC = Record("sync", {"paths": list[str], "include": list[str], "exclude": list[str]})
_CHECKED: dict[str, Any] = {
    "bundle": _BUNDLE,
    "workspace": _WORKSPACE,
    "presets": _PRESETS,
    "sync": _SYNC,
    "run_as": _RUN_AS,
    "permissions": _PERMISSIONS,
    "include": list[str],
}
_UNCHECKED = ("variables", "resources", "artifacts", "python", "scripts", "experimental")
_TARGET_KEYS = (*_CHECKED, *_UNCHECKED, "default", "mode", "git", "compute_id", "cluster_id")
_CHOICES = {
    ("mode",): ("development", "production"),
    ("bundle", "engine"): ("direct", "terraform"),
    ("presets", "trigger_pause_status"): ("PAUSED", "UNPAUSED"),
}
_VARIABLE = ("description", "default", "type", "lookup")


def check(deployment: Deployment, problems: Problems) -> None:
    """Notes unknown keys, wrong types and wrong words outside `resources`."""
    tree = deployment.bundle.tree
    for key, node in tree.items():
        if key not in _TARGET_KEYS:
            hint = close_match(key, _TARGET_KEYS)
            problems.add("UNKNOWN_KEY", f"A bundle has no key '{key}'.", node.place, hint)
        elif key in _CHECKED:
            check_value(node, _CHECKED[key], key, problems)
    for path, allowed in _CHOICES.items():
        word = tree.at(*path)
        if word:
            check_choice(word, allowed, ".".join(path), problems)
    _check_variables(deployment, problems)
    _refuse_references_in_login(deployment, problems)


def _check_variables(deployment: Deployment, problems: Problems) -> None:
    for name, definition in deployment.bundle.tree.items("variables"):
        for key, node in definition.items():
            if key not in _VARIABLE:
                problems.add(
                    "UNKNOWN_FIELD",
                    f"Variable '{name}' has no field '{key}'.",
                    node.place,
                    close_match(key, _VARIABLE),
                )


def _refuse_references_in_login(deployment: Deployment, problems: Problems) -> None:
    for field in _LOGIN:
        node = deployment.bundle.tree.at("workspace", field)
        if node and "${" in node.text():
            problems.add(
                "REFERENCE_IN_LOGIN",
                f"workspace.{field} cannot hold a reference: it is read before any is replaced.",
                node.place,
                "write it out in each target, or leave it out and set DATABRICKS_HOST",
            )
