"""`dbutils` in source files: files, secrets, widgets, and what does not run here."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

TABLE = """
import dlt

@dlt.table
def result():
    return spark.createDataFrame(ROWS, "value STRING")
"""


def run(pipeline: Pipeline, code: str) -> list[str]:
    """The values that the code puts into ROWS."""
    pipeline.write(f"{code}\n{TABLE}")
    assert pipeline.update() == 0, pipeline.errors()
    return [str(row[0]) for row in pipeline.rows("result")]


def test_files_are_listed_read_and_written_below_mapped_paths(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.paths = {"dbfs:/mnt/": f"{tmp_path}/mnt/"}
    code = """
fs = dbutils.fs
fs.mkdirs("dbfs:/mnt/in/de")
fs.put("/dbfs/mnt/in/a.txt", "hello")
fs.put("dbfs:/mnt/in/a.txt", "hello, world", True)
fs.cp("dbfs:/mnt/in/a.txt", "dbfs:/mnt/in/b.txt")
fs.mv("dbfs:/mnt/in/b.txt", "dbfs:/mnt/in/de/c.txt")
fs.cp("dbfs:/mnt/in/de", "dbfs:/mnt/copy", recurse=True)
assert fs.rm("dbfs:/mnt/copy", True) and not fs.rm("dbfs:/mnt/copy", True)
entries = fs.ls("dbfs:/mnt/in")
assert [each.isDir() for each in entries] == [False, True]
ROWS = [(each.path,) for each in entries] + [(fs.head("dbfs:/mnt/in/a.txt", 5),)]
ROWS += [(str(entries[0].size),)]
"""
    assert run(pipeline, code) == ["12", "dbfs:/mnt/in/a.txt", "dbfs:/mnt/in/de/", "hello"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("dbutils.fs.ls('dbfs:/mnt/no')", "java.io.FileNotFoundException"),
        ("dbutils.fs.ls('/databricks-datasets/x')", "--path /databricks-datasets/=DIR"),
        ("dbutils.notebook.getContext().apiToken().get()", "apiToken() of the notebook context"),
        ("dbutils.notebook.getContext().tags().get('orgId')", "the tag 'orgId'"),
        ("dbutils.fs.ls('s3://bucket/x')", "--path s3:/=DIR"),
        ("dbutils.fs.ls('dbfs:/mnt/../../etc')", "leaves dbfs:/mnt/"),
        ("dbutils.fs.rm('/srv/no/', True)", "--path /srv/no/=DIR"),
        ("dbutils.fs.put('/srv/data/a', 'x')", "is not mapped"),
        ("dbutils.fs.mkdirs('data')", "is not mapped"),
        ("dbutils.fs.cp('dbfs:/mnt/', '/srv/data', True)", "is not mapped"),
        ("dbutils.fs.mv('/srv/no', 'dbfs:/mnt/no', True)", "is not mapped"),
        ("dbutils.fs.mkdirs('/')", "is not mapped"),
        ("dbutils.fs.mv('dbfs:/mnt/', 'dbfs:/mnt/in/it', True)", "into itself"),
        ("dbutils.fs.mount('a', 'b')", "dbutils.fs.mount does not run here"),
        ("dbutils.notebook.run('x', 60)", "share code by %run"),
        ("dbutils.secrets.get('a', 'b')", "set DLT_LOCAL_SECRET_A_B"),
        ("dbutils.widgets.get('nothing')", "InputWidgetNotDefined"),
        ("dbutils.widgets.dropdown('e', 'x', ['a', 'b'])", "has no choice 'x'"),
    ],
)
def test_what_goes_wrong_is_said_at_its_line(
    pipeline: Pipeline, tmp_path: Path, call: str, message: str
) -> None:
    (tmp_path / "mnt").mkdir()
    pipeline.paths = {"dbfs:/mnt/": f"{tmp_path}/mnt/"}
    pipeline.write(f"\n{call}\n")
    with pytest.raises(ShimError) as error:
        pipeline.plan()
    assert message in str(error.value)
    assert "pipeline.py:2" in str(error.value)


def test_a_notebook_has_a_context(pipeline: Pipeline) -> None:
    code = """
context = dbutils.notebook.entry_point.getDbutils().notebook().getContext()
user = context.userName().getOrElse(None)
assert context.tags().get("user").get() == user == context.tags().apply("user")
ROWS = [(context.notebookPath().get().rsplit("/", 1)[1],)]
"""
    assert run(pipeline, code) == ["pipeline"]


def test_a_secret_comes_from_the_environment_or_a_file_and_is_never_shown(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLT_LOCAL_SECRET_MY_SCOPE_DB_KEY", "hunter2hunter2")
    (tmp_path / "secrets.yml").write_text("other: {token: abcdefgh123}\n")
    monkeypatch.setenv("DLT_LOCAL_SECRETS", str(tmp_path / "secrets.yml"))
    code = """
key = dbutils.secrets.get("my-scope", "db.key")
token = dbutils.secrets.get(scope="other", key="token")
assert dbutils.secrets.getBytes("other", "token") == token.encode()
assert [each.key for each in dbutils.secrets.list("other")] == ["token"]
assert [each.name for each in dbutils.secrets.listScopes()] == ["other"]
assert spark.sql("SELECT secret('my-scope', 'db.key') AS key").first().key == key
ROWS = [(str(len(key)),)]
spark.conf.set("pipelines.maxFlowRetryAttempts", "0")

@__import__("dlt").table
def fails():
    return spark.sql(f"SELECT CAST(raise_error('{key} and {token}') AS INT) AS x")
"""
    pipeline.write(f"{code}\n{TABLE}")
    assert pipeline.update() == 1
    assert pipeline.rows("result") == [("14",)]
    text = "\n".join(event.as_json() for event in pipeline.events)
    assert "[REDACTED] and [REDACTED]" in text
    assert "hunter2" not in text and "abcdefgh" not in text


def test_widgets_take_parameters_then_configuration_then_defaults(pipeline: Pipeline) -> None:
    pipeline.conf.update({"env": "conf", "region": "eu"})
    pipeline.parameters = {"env": "param"}
    code = """
w = dbutils.widgets
w.text("env", "default"), w.text("region", "us"), w.combobox("third", "3", ["3"])
w.multiselect("fourth", "a", ["a", "b"])
ROWS = [(name + value,) for name, value in w.getAll().items()] + [(w.getArgument("x", "y"),)]
w.remove("third"), w.removeAll(), dbutils.library.restartPython()
assert dbutils.jobs.taskValues.get("t", "k", default=1, debugValue=2) == 2
"""
    assert run(pipeline, code) == ["envparam", "fourtha", "regioneu", "third3", "y"]
    assert "no file reads" not in " ".join(pipeline.warnings())
