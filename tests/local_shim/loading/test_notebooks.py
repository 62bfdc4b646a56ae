"""Notebooks as sources: exports of Databricks in Python and SQL, and `.ipynb` files."""

from __future__ import annotations

import json
import textwrap

import pytest

from local_shim.errors import ShimError
from tests.pipeline_folder import Pipeline

PYTHON = """\
# Databricks notebook source
# MAGIC %md
# MAGIC # Payments

# COMMAND ----------

# DBTITLE 1,Settings
# MAGIC %run "./settings notebook" $least="2" $count="5"

# COMMAND ----------

# MAGIC %pip install something

# COMMAND ----------

import dlt

@dlt.table
def numbers():
    return spark.range(COUNT)

# COMMAND ----------

# MAGIC %sql
# MAGIC -- SQL in a Python notebook
# MAGIC CREATE OR REFRESH MATERIALIZED VIEW big
# MAGIC AS SELECT * FROM numbers WHERE id > :least;
# MAGIC CREATE SCHEMA IF NOT EXISTS other; SELECT * FROM big

# COMMAND ----------

display(spark.range(1))
"""
RUN = "# Databricks notebook source\n# MAGIC %run "
EXIT_IN_QUERY = """\
import sys

import dlt
@dlt.table
def none():
    sys.exit("no rows")
"""
SETTINGS = """\
# Databricks notebook source
dbutils.widgets.text("count", "4")
COUNT = int(dbutils.widgets.get("count")) + int(dbutils.widgets.get("least")) - 3  # %run says 5
"""


@pytest.fixture
def notebook(pipeline: Pipeline) -> Pipeline:
    pipeline.conf["least"] = "2"
    pipeline.write(PYTHON, "payments.py")
    settings = pipeline.folder / "source" / "settings notebook.py"
    settings.write_text(SETTINGS)
    return pipeline


def test_a_python_notebook_runs_its_cells_in_one_namespace(notebook: Pipeline) -> None:
    assert notebook.update() == 0
    assert notebook.rows("numbers") == [(0,), (1,), (2,), (3,)]
    assert notebook.rows("big") == [(3,)]
    warnings = " ".join(notebook.warnings())
    assert "payments.py:12: '%pip install something' is not run here" in warnings
    assert "display() shows nothing" in warnings
    assert "payments.py:28: the statement CREATE SCHEMA … is not run here" in warnings
    assert "payments.py:28: the statement SELECT * … is not run here" in warnings


def test_an_edit_of_a_notebook_that_is_run_computes_views_again(notebook: Pipeline) -> None:
    """It lies outside of the pipeline's sources."""
    source = notebook.folder / "source"
    (notebook.folder / "shared").mkdir()
    settings = notebook.folder / "shared" / "settings.py"
    (source / "settings notebook.py").rename(settings)
    notebook.write(PYTHON.replace('"./settings notebook"', "../shared/settings"), "payments.py")
    assert notebook.update() == 0
    settings.write_text(SETTINGS.replace("- 3", "- 2"))
    assert notebook.update() == 0
    assert notebook.table("numbers").count() == 5


SQL = """\
-- Databricks notebook source
-- MAGIC %md # Numbers

-- COMMAND ----------

CREATE OR REFRESH MATERIALIZED VIEW numbers AS SELECT explode(sequence(1, 3)) AS id;
SET least = 1

-- COMMAND ----------

-- MAGIC %python
-- MAGIC import dlt
-- MAGIC
-- MAGIC @dlt.table
-- MAGIC def doubled():
-- MAGIC     return spark.read.table("numbers").selectExpr("id * 2 AS id")

-- COMMAND ----------

CREATE OR REFRESH MATERIALIZED VIEW big AS SELECT * FROM doubled WHERE id / 2 > ${least}
"""


def test_an_sql_notebook_keeps_what_set_says_over_its_cells(pipeline: Pipeline) -> None:
    pipeline.write(SQL, "numbers.sql")
    assert pipeline.update() == 0
    assert pipeline.rows("big") == [(4,), (6,)]


def _ipynb(*cells: tuple[str, str]) -> str:
    return json.dumps(
        {
            "cells": [{"cell_type": kind, "source": text.splitlines(True)} for kind, text in cells],
            "metadata": {"language_info": {"name": "python"}},
        }
    )


def test_a_jupyter_notebook_runs(pipeline: Pipeline) -> None:
    cells = [
        ("markdown", "# Numbers"),
        ("code", "%pip install x\nimport dlt\n@dlt.table\ndef a():\n    return spark.range(2)\n"),
        ("code", "%python START = 1\nSTOP = 2"),
        ("code", "@dlt.table\ndef c():\n    return spark.range(START, STOP)"),
        ("code", "%sql\nCREATE OR REFRESH MATERIALIZED VIEW b AS SELECT id + 1 AS id FROM a"),
    ]
    pipeline.write(_ipynb(*cells), "numbers.ipynb")
    assert pipeline.update() == 0
    assert pipeline.rows("b") == [(1,), (2,)]
    assert pipeline.rows("c") == [(1,)]


@pytest.mark.dlt(149)
@pytest.mark.parametrize(
    ("source", "file", "message", "where"),
    [
        (PYTHON.replace("COUNT)", "COUNT"), "n.py", "SyntaxError", "n.py:20"),
        (PYTHON.replace("import dlt", "import dltt"), "n.py", "root_path", "n.py:16"),
        (PYTHON.replace("CREATE OR", "CREAT OR"), "n.py", "did you mean 'CREATE'", "n.py:26"),
        (PYTHON.replace("settings notebook", "nothing"), "n.py", "finds no notebook", "n.py:8"),
        (
            PYTHON.replace("%sql", "%scala").replace("%pip install", "%r"),  # both are named
            "n.py",
            "written in Scala",
            "n.py:24",
        ),
        (SQL.replace("%python", "%r"), "n.sql", "written in R", "n.sql:11"),
        (PYTHON.replace('notebook"', "notebook"), "n.py", "No closing quotation", "n.py:8"),
        (RUN + "./settings.txt", "n.py", "finds no notebook", "n.py:2"),
        (RUN, "n.py", "finds no notebook", "n.py:2"),
        (RUN + "./a\n# MAGIC # b\nx = 1", "n.py", "stands behind %run", "n.py:4"),
        (RUN + "..", "n.py", "finds no notebook", "n.py:2"),
        ("import sys\nsys.exit('no rows')", "n.py", "SystemExit: no rows", "n.py:2"),
        (EXIT_IN_QUERY, "n.py", "raised SystemExit: no rows", "n.py:6"),
        ("{}", "n.ipynb", "it is no notebook", "n.ipynb:1"),
        ("[]", "n.ipynb", "it is no notebook", "n.ipynb:1"),
        ('{"cells": null}', "n.ipynb", "it is no notebook", "n.ipynb:1"),
        ('{"cells": ["1"]}', "n.ipynb", "it is no notebook", "n.ipynb:1"),
        (
            '{"cells": [{"cell_type": "code", "source": [1]}]}',
            "n.ipynb",
            "no notebook",
            "n.ipynb:1",
        ),
        (_ipynb(("code", "1"), ("code", "\n1 / 0")), "n.ipynb", "division", "n.ipynb cell 2:2"),
    ],
)
def test_an_error_names_the_line_of_the_notebook(
    pipeline: Pipeline, source: str, file: str, message: str, where: str
) -> None:
    pipeline.write("import dlt\n\n@dlt.table\ndef other():\n    return spark.range(1)\n")
    pipeline.write(source, file)
    if "settings" in source:
        (pipeline.folder / "source" / "settings.txt").write_text("")
        (pipeline.folder / "source" / "settings notebook.py").write_text(SETTINGS)
        pipeline.conf["least"] = "2"
    with pytest.raises(ShimError) as error:
        pipeline.plan()
    assert message in str(error.value)
    assert f"{where}" in str(error.value)
    assert not (pipeline.folder / "storage").exists()


def test_notebooks_that_run_each_other_are_refused(pipeline: Pipeline) -> None:
    pipeline.write("# Databricks notebook source\n# MAGIC %run ./b\n", "a.py")
    (pipeline.folder / "source" / "b.py").write_text(
        "# Databricks notebook source\n# MAGIC %run ./a\n"
    )
    with pytest.raises(ShimError, match="notebooks run each other"):
        pipeline.plan()


def test_a_notebook_ends_at_exit(pipeline: Pipeline) -> None:
    text = """
        # Databricks notebook source
        import dlt

        @dlt.table
        def a():
            return spark.range(1)

        # COMMAND ----------

        dbutils.notebook.exit("done")

        # COMMAND ----------

        raise ValueError("never")
    """
    pipeline.write(textwrap.dedent(text).lstrip(), "a.py")
    assert pipeline.update() == 0


def test_errors_of_all_files_are_reported_at_once(pipeline: Pipeline) -> None:
    pipeline.write("import nothing_of_this_name\n", "a.py")
    pipeline.write("CREATE TABLE", "b.sql")
    pipeline.write("def (", "c.py")
    with pytest.raises(ShimError) as error:
        pipeline.plan()
    for place in ("a.py:1", "b.sql:1", "c.py:1"):
        assert place in str(error.value)
