"""The schema of the source for MySQL and Oracle: the same tables, columns and precisions."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from getpass import getuser
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

INIT_SQL = Path(__file__).parents[2] / "init_sql"


def tables(file: str, dialect: str) -> dict[str, dict[str, exp.ColumnDef]]:
    """Columns of each table by name, in lower case."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # no grammar for SUPPLEMENTAL LOG
    statements = sqlglot.parse((INIT_SQL / file).read_text(), dialect=dialect)
    return {
        next(each.find_all(exp.Table)).name: {
            column.name: column for column in each.find_all(exp.ColumnDef)
        }
        for each in statements
        if isinstance(each, exp.Create)
    }


SOURCE = tables("010_schema.sql", "postgres")


@pytest.mark.parametrize("engine", ["mysql", "oracle"])
def test_an_engine_has_the_columns_of_the_source_in_their_order(engine: str) -> None:
    columns = {
        name: list(each) for name, each in tables(f"{engine}/010_schema.sql", engine).items()
    }
    assert columns == {name: list(each) for name, each in SOURCE.items()}


@pytest.mark.parametrize("engine", ["mysql", "oracle"])
def test_money_keeps_its_precision(engine: str) -> None:
    for name, columns in tables(f"{engine}/010_schema.sql", engine).items():
        for key, column in columns.items():
            source = SOURCE[name][key].args["kind"]
            if source.is_type("decimal"):
                digits = [each.sql() for each in column.args["kind"].expressions]
                assert digits == [each.sql() for each in source.expressions], f"{name}.{key}"


@pytest.mark.parametrize("engine", ["mysql", "oracle"])
def test_what_must_not_be_null_in_the_source_must_not_be_here(engine: str) -> None:
    def required(columns: dict[str, exp.ColumnDef]) -> set[str]:
        return {name for name, each in columns.items() if each.find(exp.NotNullColumnConstraint)}

    for name, columns in tables(f"{engine}/010_schema.sql", engine).items():
        nullable = {key for key, each in columns.items() if "TIMESTAMP(6) NULL" in each.sql(engine)}
        assert required(columns) - nullable == required(SOURCE[name]), name


def test_oracle_logs_every_column() -> None:
    text = (INIT_SQL / "oracle" / "010_schema.sql").read_text()
    logged = {line.split()[2] for line in text.splitlines() if "(ALL) COLUMNS" in line}
    assert logged == set(SOURCE)


def test_a_mariadb_server_makes_the_tables_and_makes_them_again(tmp_path: Path) -> None:
    server = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    if server is None:
        pytest.skip("mariadbd is not installed: apt-get install mariadb-server-core")
    schema = (INIT_SQL / "mysql" / "010_schema.sql").read_text()
    process = subprocess.run(
        [server, "--no-defaults", f"--user={getuser()}", f"--datadir={tmp_path}", "--bootstrap"],
        input=f"CREATE DATABASE insurance;\nUSE insurance;\n{schema}\n{schema}",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr
    assert {path.stem for path in (tmp_path / "insurance").glob("*.ibd")} == set(SOURCE)
