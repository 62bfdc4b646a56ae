"""Pipelines that clients create, change and delete."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("databricks.sdk")

from databricks.sdk.errors import BadRequest, ResourceConflict, ResourceDoesNotExist
from databricks.sdk.service.pipelines import FileLibrary, NotebookLibrary, PipelineLibrary, RunAs

from local_shim.graph.names import TableName
from local_shim.storage import Storage, TableRecord
from tests.local_shim.workspace.local_workspace import LocalWorkspace


def libraries(path: Path) -> list[PipelineLibrary]:
    return [PipelineLibrary(file=FileLibrary(path=str(path)))]


def create(workspace: LocalWorkspace, name: str = "made") -> str:
    code = libraries(workspace.folder / "src" / "tables.py")
    created = workspace.client.pipelines.create(name=name, schema="made", libraries=code)
    return created.pipeline_id or ""


def test_a_created_pipeline_is_given_back_as_it_was_sent(workspace: LocalWorkspace) -> None:
    """W3"""
    code = libraries(workspace.folder / "src" / "tables.py")
    settings: dict[str, Any] = {"name": "made", "schema": "made", "configuration": {"a": "1"}}
    pipelines = workspace.client.pipelines
    identity, parameters = RunAs(user_name="ada"), {"day": "1"}
    created = pipelines.create(libraries=code, run_as=identity, parameters=parameters, **settings)
    pipeline = pipelines.get(created.pipeline_id or "")
    assert pipeline.spec
    expected = {
        **settings,
        "id": created.pipeline_id,
        "libraries": [each.as_dict() for each in code],
    }
    assert pipeline.spec.as_dict() == expected
    assert (pipeline.run_as, pipeline.parameters) == (identity, parameters)
    assert sorted(each.name or "" for each in pipelines.list_pipelines()) == [
        "insurance-prod",
        "made",
    ]


def test_a_second_pipeline_of_a_name_must_be_allowed(workspace: LocalWorkspace) -> None:
    """W4"""
    create(workspace)
    with pytest.raises(ResourceConflict, match="pipeline is named 'made'"):
        create(workspace)
    workspace.client.pipelines.create(name="made", allow_duplicate_names=True)


def test_wrong_settings_are_named(workspace: LocalWorkspace) -> None:
    """W5"""
    wrong = {
        "'libary' is no field of a pipeline here; did you mean 'libraries'": {
            "name": "made",
            "libary": [],
        },
        "'continuous' of a pipeline is a bool, not \"yes\"": {"name": "made", "continuous": "yes"},
        "needs a 'name'": {"schema": "made"},
    }
    for message, body in wrong.items():
        with pytest.raises(BadRequest) as error:
            workspace.client.api_client.do("POST", "/api/2.0/pipelines", body=body)
        assert message in str(error.value)


def test_pipelines_are_found_by_their_notebook(workspace: LocalWorkspace) -> None:
    """W9"""
    pipelines = workspace.client.pipelines
    code = [PipelineLibrary(notebook=NotebookLibrary(path="/Workspace/a"))]
    pipelines.create(name="notebooks", libraries=code)
    create(workspace)
    listed = [each.name for each in pipelines.list_pipelines(filter="notebook = '/Workspace/a'")]
    assert listed == ["notebooks"]


def test_a_dry_run_keeps_nothing(workspace: LocalWorkspace) -> None:
    """W6"""
    pipelines = workspace.client.pipelines
    assert pipelines.create(name="made", dry_run=True).effective_settings
    assert [each.name for each in pipelines.list_pipelines()] == ["insurance-prod"]


def test_an_update_replaces_the_settings_unless_they_are_stale(workspace: LocalWorkspace) -> None:
    """W7"""
    pipelines = workspace.client.pipelines
    pipeline_id = create(workspace)
    before = pipelines.get(pipeline_id).last_modified
    pipelines.update(pipeline_id, name="other", expected_last_modified=before)
    after = pipelines.get(pipeline_id)
    assert after.spec and (after.name, after.spec.schema) == ("other", None)
    with pytest.raises(ResourceConflict, match="modified after"):
        pipelines.update(pipeline_id, name="third", expected_last_modified=1)


@pytest.mark.parametrize("cascade", [True, False])
def test_a_pipeline_is_deleted_with_its_tables_or_without(
    workspace: LocalWorkspace, cascade: bool
) -> None:
    """W8: tables of other pipelines stay."""
    pipelines = workspace.client.pipelines
    pipeline_id = create(workspace)
    storage = Storage(workspace.storage, pipeline_id)
    own_table, other = TableName("main", "made", "own"), TableName("main", "made", "other")
    for name, owner in ((own_table, pipeline_id), (other, "insurance")):
        storage.table(name).mkdir(parents=True)
        storage.remember(TableRecord(str(name), "STREAMING_TABLE", owner, False))
    workspace.journal("u1", "RUNNING", pipeline=pipeline_id)
    with pytest.raises(ResourceConflict, match="u1"):
        pipelines.delete(pipeline_id)
    workspace.journal("u1", "COMPLETED", pipeline=pipeline_id)
    pipelines.delete(pipeline_id, cascade=cascade)
    assert (storage.table(own_table).exists(), storage.table(other).exists()) == (not cascade, True)
    assert (storage.record(own_table) is None, storage.record(other) is None) == (cascade, False)
    if cascade:
        with pytest.raises(ResourceDoesNotExist):
            pipelines.get(pipeline_id)


def test_the_pipeline_of_the_command_line_is_not_changed(workspace: LocalWorkspace) -> None:
    """W8"""
    with pytest.raises(BadRequest, match="not created by a client"):
        workspace.client.pipelines.delete("insurance")
    with pytest.raises(BadRequest, match="not created by a client"):
        workspace.client.pipelines.update("insurance", name="other")


def test_code_outside_of_the_root_is_refused(
    workspace: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """W28: by an absolute path, by `..`, and by a link."""
    outside = tmp_path_factory.mktemp("outside") / "tables.py"
    outside.touch()
    link = workspace.folder / "src" / "link.py"
    link.symlink_to(outside)
    dotted = workspace.folder / "src" / os.path.relpath(outside, workspace.folder / "src")
    pipelines = workspace.client.pipelines
    for number, path in enumerate((outside, dotted, link)):
        created = pipelines.create(name=f"made {number}", libraries=libraries(path))
        with pytest.raises(BadRequest, match="is not below"):
            pipelines.start_update(created.pipeline_id or "")
