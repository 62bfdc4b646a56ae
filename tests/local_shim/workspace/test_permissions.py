"""Permissions are kept and given back, and nothing is refused by them."""

from __future__ import annotations

import pytest

pytest.importorskip("databricks.sdk")

from databricks.sdk.errors import BadRequest, ResourceDoesNotExist
from databricks.sdk.service.pipelines import (
    PipelineAccessControlRequest,
    PipelinePermissionLevel,
    PipelinePermissions,
)

from tests.local_shim.workspace.local_workspace import LocalWorkspace

RUN, VIEW = PipelinePermissionLevel.CAN_RUN, PipelinePermissionLevel.CAN_VIEW


def levels(permissions: PipelinePermissions) -> dict[str | None, PipelinePermissionLevel | None]:
    return {
        entry.group_name or entry.user_name: level.permission_level
        for entry in permissions.access_control_list or ()
        for level in entry.all_permissions or ()
    }


def test_permissions_are_set_and_changed(workspace: LocalWorkspace) -> None:
    pipelines = workspace.client.pipelines
    engineers = PipelineAccessControlRequest(group_name="engineers", permission_level=RUN)
    ada = PipelineAccessControlRequest(user_name="ada", permission_level=RUN)
    assert levels(pipelines.get_permissions("insurance")) == {}
    pipelines.set_permissions("insurance", access_control_list=[engineers])
    assert levels(pipelines.get_permissions("insurance")) == {"engineers": RUN}
    less = PipelineAccessControlRequest(group_name="engineers", permission_level=VIEW)
    changed = pipelines.update_permissions("insurance", access_control_list=[ada, less])
    assert levels(changed) == {"ada": RUN, "engineers": VIEW}
    assert levels(pipelines.set_permissions("insurance")) == {}


def test_the_levels_of_an_object_are_listed(workspace: LocalWorkspace) -> None:
    listed = workspace.client.pipelines.get_permission_levels("insurance").permission_levels or ()
    assert {each.permission_level for each in listed} == set(PipelinePermissionLevel)


@pytest.mark.parametrize(
    "entry",
    [
        {"permission_level": "CAN_RUN"},
        {"permission_level": "CAN_RUN", "user_name": "ada", "group_name": "engineers"},
        {"permission_level": "CAN_FLY", "user_name": "ada"},
        {"permission_level": "CAN_RUN", "user": "ada"},
    ],
)
def test_a_wrong_entry_is_refused(workspace: LocalWorkspace, entry: dict[str, str]) -> None:
    body = {"access_control_list": [entry]}
    with pytest.raises(BadRequest):
        workspace.client.api_client.do("PUT", "/api/2.0/permissions/pipelines/insurance", body=body)


@pytest.mark.parametrize("path", ["pipelines/none", "jobs/1", "jobs/none", "clusters/1"])
def test_an_object_that_does_not_exist_has_none(workspace: LocalWorkspace, path: str) -> None:
    with pytest.raises(ResourceDoesNotExist):
        workspace.get(f"permissions/{path}")
