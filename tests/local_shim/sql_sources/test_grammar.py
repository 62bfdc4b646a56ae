"""Statements are read as definitions, or refused at their line and column; no Spark is needed."""

from __future__ import annotations

import pytest

from local_shim.errors import DefinitionError
from local_shim.graph.elements import Action, DatasetKind
from local_shim.sql_sources.grammar.definitions import (
    AutoCdc,
    CreateDataset,
    CreateFlow,
    Definition,
    Insert,
    SetKey,
    SnapshotCdc,
    UseNamespace,
)
from local_shim.sql_sources.grammar.parse import definition
from local_shim.sql_sources.grammar.reader import Reader
from local_shim.sql_sources.grammar.source_text import SourceText
from local_shim.sql_sources.grammar.tokens import statements


def read(text: str) -> list[Definition]:
    source = SourceText(text, "pipeline.sql")
    return [definition(Reader(source, each, lambda e: e.strip("'"))) for each in statements(source)]


def dataset(text: str) -> CreateDataset:
    (statement,) = read(text)
    assert isinstance(statement, CreateDataset)
    return statement


def flow(text: str) -> CreateFlow:
    (statement,) = read(text)
    assert isinstance(statement, CreateFlow)
    return statement


TABLE, VIEW = DatasetKind.STREAMING_TABLE, DatasetKind.MATERIALIZED_VIEW
TEMPORARY, MANAGED = DatasetKind.VIEW, DatasetKind.MANAGED_TABLE


@pytest.mark.dlt(142)
@pytest.mark.parametrize(
    ("text", "kind", "private", "deprecated"),
    [
        ("CREATE OR REFRESH STREAMING TABLE t AS SELECT 1", TABLE, False, ""),
        ("CREATE STREAMING TABLE t", TABLE, False, ""),
        ("create or refresh private streaming table t as select 1", TABLE, True, ""),
        ("CREATE OR REFRESH MATERIALIZED VIEW t AS SELECT 1", VIEW, False, ""),
        ("CREATE OR REPLACE MATERIALIZED VIEW t AS SELECT 1", VIEW, False, ""),
        ("CREATE OR REFRESH PRIVATE MATERIALIZED VIEW t AS SELECT 1", VIEW, True, ""),
        ("CREATE TEMPORARY VIEW t AS SELECT 1", TEMPORARY, False, ""),
        ("CREATE VIEW t AS SELECT 1", TEMPORARY, False, ""),
        ("CREATE LIVE VIEW t AS SELECT 1", TEMPORARY, False, "LIVE VIEW"),
        ("CREATE LIVE TABLE t AS SELECT 1", VIEW, False, "LIVE TABLE"),
        ("CREATE OR REFRESH LIVE TABLE t AS SELECT 1", VIEW, False, "LIVE TABLE"),
        ("CREATE TEMPORARY LIVE TABLE t AS SELECT 1", VIEW, True, "LIVE TABLE"),
        ("CREATE STREAMING LIVE TABLE t AS SELECT 1", TABLE, False, "STREAMING LIVE TABLE"),
        ("CREATE INCREMENTAL LIVE TABLE t AS SELECT 1", TABLE, False, "INCREMENTAL LIVE TABLE"),
        ("CREATE INCREMENTAL LIVE VIEW t AS SELECT 1", TEMPORARY, False, "INCREMENTAL LIVE VIEW"),
        ("CREATE TABLE t (id INT)", MANAGED, False, ""),
    ],
)
def test_datasets_of_all_kinds_are_created(
    text: str, kind: DatasetKind, private: bool, deprecated: str
) -> None:
    statement = dataset(text)
    assert (statement.kind, statement.name) == (kind, "t")
    if kind is not TEMPORARY:
        assert statement.private == private
    assert statement.deprecated == deprecated


@pytest.mark.dlt(142)
def test_all_clauses_of_a_table_are_read() -> None:
    statement = dataset(
        """
        CREATE OR REFRESH STREAMING TABLE `my cat`.s.t (
          id INT NOT NULL COMMENT 'the key; unique',
          d DECIMAL(10, 2) MASK hide USING COLUMNS (id),
          y INT GENERATED ALWAYS AS (id + 1),
          CONSTRAINT known EXPECT (id IN (1, 2)),
          CONSTRAINT positive EXPECT (d > 0) ON VIOLATION DROP ROW,
          CONSTRAINT small EXPECT (d < 9) ON VIOLATION FAIL UPDATE,
          CONSTRAINT pk PRIMARY KEY (id)
        )
        PARTITIONED BY (y)
        COMMENT "what; it is"
        TBLPROPERTIES ('quality' = 'gold', pipelines.reset.allowed = false, 'n' = 5)
        WITH ROW FILTER f ON (id)
        AS SELECT 1 /* ; */ AS id -- the end
        """
    )
    clauses, columns = statement.clauses, statement.clauses.columns
    assert statement.name == "`my cat`.s.t"
    assert columns.schema is not None and "CONSTRAINT pk PRIMARY KEY (id)" in columns.schema
    assert "MASK" not in columns.schema and "EXPECT" not in columns.schema
    assert columns.masked == ("d",)
    assert [(rule.name, str(rule.condition), rule.action) for rule in columns.rules] == [
        ("known", "id IN (1, 2)", Action.WARN),
        ("positive", "d > 0", Action.DROP),
        ("small", "d < 9", Action.FAIL),
    ]
    assert clauses.partition_cols == ("y",)
    assert clauses.comment == "what; it is"
    expected = {"quality": "gold", "pipelines.reset.allowed": "false", "n": "5"}
    assert clauses.properties == expected
    assert clauses.row_filter == "f ON (id)"
    assert isinstance(statement.flow, Insert)
    assert str(statement.flow.query) == "SELECT 1 /* ; */ AS id"


def test_a_list_of_names_has_comments() -> None:
    columns = dataset("CREATE TEMPORARY VIEW v (a COMMENT 'x', b) AS SELECT 1, 2").clauses.columns
    assert (columns.names, columns.comments, columns.schema) == (("a", "b"), {"a": "x"}, None)


def test_what_follows_a_mask_and_a_row_filter_is_kept() -> None:
    clauses = dataset(
        "CREATE TABLE t (id INT MASK m USING COLUMNS (a) NOT NULL COMMENT 'k') "
        "WITH ROW FILTER f ON (id) PARTITIONED BY (id) LOCATION '/x'"
    ).clauses
    assert clauses.columns.schema == "id INT NOT NULL COMMENT 'k'"
    assert (clauses.row_filter, clauses.partition_cols) == ("f ON (id)", ("id",))
    assert clauses.ignored == ("LOCATION '/x'",)


@pytest.mark.parametrize("policy", ["AUTO", "INCREMENTAL STRICT"])
def test_a_refresh_policy_is_read(policy: str) -> None:
    statement = dataset(f"CREATE MATERIALIZED VIEW v REFRESH POLICY {policy} AS SELECT 1")
    assert statement.clauses.ignored == ()


def test_a_quoted_schema_may_have_a_dot() -> None:
    assert read("USE SCHEMA `my.schema`") == [UseNamespace(schema="my.schema")]


@pytest.mark.parametrize(("text", "columns"), [("(a, `b c`)", ("a", "b c")), ("AUTO", ())])
def test_clustering(text: str, columns: tuple[str, ...]) -> None:
    statement = dataset(f"CREATE OR REFRESH MATERIALIZED VIEW v CLUSTER BY {text} AS SELECT 1")
    assert statement.clauses.cluster_by == columns


FLOW = "CREATE FLOW f AS AUTO CDC INTO t"
CDC = """AUTO CDC INTO t FROM STREAM(s.src) KEYS (a, `b c`) IGNORE NULL UPDATES
    APPLY AS DELETE WHEN op = 'D' APPLY AS TRUNCATE WHEN op = 'T'
    SEQUENCE BY STRUCT(ts, n) COLUMNS * EXCEPT (op) STORED AS SCD TYPE 2
    TRACK HISTORY ON * EXCEPT (city)"""
ARGUMENTS = {
    "source": "s.src",
    "once": False,
    "keys": ["a", "b c"],
    "ignore_null_updates": True,
    "apply_as_deletes": "op = 'D'",
    "apply_as_truncates": "op = 'T'",
    "sequence_by": "STRUCT(ts, n)",
    "except_column_list": ["op"],
    "stored_as_scd_type": "2",
    "track_history_except_column_list": ["city"],
}


@pytest.mark.dlt(142)
@pytest.mark.parametrize(
    "text",
    [
        f"CREATE FLOW f AS {CDC}",
        f"CREATE FLOW f COMMENT 'x' AS {CDC.replace('AUTO CDC', 'APPLY CHANGES')}",
        CDC.replace("AUTO CDC", "APPLY CHANGES"),
        CDC.replace("AUTO CDC", "APPLY CHANGES").replace("STREAM(s.src)", "STREAM s.src"),
    ],
)
def test_auto_cdc_has_the_arguments_of_the_python_function(text: str) -> None:
    statement = flow(text)
    assert statement.target == "t"
    assert isinstance(statement.body, AutoCdc)
    assert statement.body.arguments == ARGUMENTS


@pytest.mark.dlt(142)
@pytest.mark.parametrize(
    ("clause", "arguments"),
    [
        ("COLUMNS (a, b)", {"column_list": ["a", "b"]}),
        ("COLUMNS a", {"column_list": ["a"]}),
        ("COLUMNS a, b", {"column_list": ["a", "b"]}),
        ("TRACK HISTORY ON a, b", {"track_history_column_list": ["a", "b"]}),
        ("TRACK HISTORY ON (a)", {"track_history_column_list": ["a"]}),
        ("STORED AS BITEMPORAL", {"stored_as_scd_type": "BITEMPORAL"}),
        ("SYSTEM SEQUENCE BY at", {"system_sequence_by": "at"}),
        ("COLUMNS TO UPDATE changed", {"columns_to_update": "changed"}),
    ],
)
def test_clauses_of_auto_cdc(clause: str, arguments: dict[str, object]) -> None:
    statement = flow(f"{FLOW} FROM STREAM(s) KEYS (a) SEQUENCE BY b {clause}")
    assert isinstance(statement.body, AutoCdc)
    fixed = {"source": "s", "once": False, "keys": ["a"], "sequence_by": "b"}
    assert statement.body.arguments == {**fixed, **arguments}


@pytest.mark.dlt(142, 169)
def test_inserts() -> None:
    for text in ("INSERT ONCE INTO t", "INSERT INTO ONCE t", "INSERT ONCE INTO t BY NAME"):
        statement = flow(f"CREATE FLOW f AS {text} SELECT 1 AS a")
        assert isinstance(statement.body, Insert)
        assert (str(statement.body.query), statement.body.once) == ("SELECT 1 AS a", True)
        assert (statement.name, statement.target) == ("f", "t")


@pytest.mark.dlt(142)
def test_replacing_flows() -> None:
    where = dataset(
        "CREATE STREAMING TABLE t FLOW REPLACE WHERE day >= '2026' BY NAME SELECT * FROM s"
    ).flow
    assert isinstance(where, Insert)
    assert str(where.replace_where) == "day >= '2026'"
    using = flow(
        "CREATE FLOW f AS INSERT INTO t BY NAME REPLACE USING (a, b) SEQUENCE BY c "
        "SELECT * FROM STREAM s"
    ).body
    assert isinstance(using, Insert)
    assert (using.replace_using, str(using.sequence_by)) == (("a", "b"), "c")


@pytest.mark.dlt(142)
def test_snapshots() -> None:
    body = flow(
        "CREATE FLOW f AS AUTO CDC ONCE INTO t FROM SNAPSHOT (SELECT * FROM s) "
        "WITH VERSION (SELECT max(v) AS v FROM s) KEYS (id) STORED AS SCD TYPE 2"
    ).body
    assert isinstance(body, SnapshotCdc)
    assert str(body.snapshot) == "SELECT * FROM s"
    assert str(body.version) == "SELECT max(v) AS v FROM s"
    assert body.arguments == {"once": True, "keys": ["id"], "stored_as_scd_type": "2"}


def test_set_and_use() -> None:
    assert read("SET a.b-c = 'x y'; SET n = 5;; USE CATALOG c; USE SCHEMA s; USE c.d;") == [
        SetKey("a.b-c", "x y"),
        SetKey("n", "5"),
        UseNamespace(catalog="c"),
        UseNamespace(schema="s"),
        UseNamespace("c", "d"),
    ]


WRONG = {
    "CREATE OR REPLACE STREAMING TABLE t AS SELECT 1": "write CREATE OR REFRESH STREAMING TABLE",
    "CREATE OR REFRESH STREAMING TABLE t (id INT": "this parenthesis is not closed",
    "CREATE OR REFRESH MATERIALIZED VIEW v": "'v' needs a query",
    "CREATE OR REFRESH STREAMING TABLE": "a name is expected, not the end of the statement",
    "CREATE OR REFRESH STREAMING TABLE t COMENT 'x' AS SELECT 1": "did you mean 'COMMENT'?",
    "CREATE OR REFRESH STREAMING TABLE IF NOT EXISTS t": "tables outside of pipelines",
    "CREATE OR REFRESH STREAMING TABLE t SCHEDULE EVERY 1 HOUR AS SELECT 1": "outside of pipelines",
    "CREATE OR REFRESH STREAMING TABLE t AS": "the statement ends too early",
    "CREATE FUNCTION f AS 'x'": "this CREATE statement is none of a pipeline",
    "INSERT INTO t VALUES (1)": "INSERT is no statement of a pipeline",
    "MERGE INTO t USING s ON a = b": "rows change by flows",
    "VALUE (1)": "allowed: APPLY CHANGES INTO, CREATE",
    "CREATE OR REFRESH STREAMING TABEL t AS SELECT 1": "did you mean 'TABLE'?",
    "CREATE OR REFERSH MATERIALIZED VIEW t AS SELECT 1": "did you mean 'REFRESH'?",
    "CREATE MATERIALISED VIEW t AS SELECT 1": "did you mean 'MATERIALIZED'?",
    "CREATE OR REPLACE TABLE t AS SELECT 1": "write CREATE OR REFRESH MATERIALIZED VIEW",
    "CREATE TABLE t AS SELECT 1": "CREATE TABLE takes FLOW INSERT BY NAME",
    "CREATE TEMPORARY VIEW v AS SELECT 1 CREATE OR REFRESH STREAMING TABLE t": "with a semicolon",
    f"{FLOW} FROM STREAM(s) KEYS (a) SEQUENCE BY b STORED AS SCD TYPE 1 CREATE FLOW g": "semicolon",
    "CREATE OR REFRESH": "this CREATE statement is none of a pipeline",
    "CREATE LIVE VIEW v (CONSTRAINT a EXPECT x > 0) AS SELECT 1": "stands in parentheses",
    "CREAT OR REFRESH STREAMING TABLE t AS SELECT 1": "did you mean 'CREATE'?",
    "CREATE TABLE t (CONSTRAINT a EXPECT (x) ON VIOLATION DELETE)": "DROP ROW or FAIL UPDATE",
    "SET a": "= is expected, not the end of the statement",
    "CREATE FLOW f AS INSERT INTO t REPLACE WHERE a SELECT 1": "REPLACE needs BY NAME",
    f"{FLOW} FROM STREAM(SELECT 1) KEYS (a) SEQUENCE BY b": "declare a view",
    f"{FLOW} FROM STREAM(s) SEQUENCE BY b": "AUTO CDC needs KEYS",
    f"{FLOW} FROM STREAM(s) KEYS (a)": "AUTO CDC needs SEQUENCE BY",
    f"{FLOW} FROM STREAM(s) KEYS (a b) SEQUENCE BY c": "'b' is not expected here",
    f"{FLOW} FROM STREAM(s) KEYS (a,,b) SEQUENCE BY c": "an item of the list is empty",
    f"{FLOW} FROM STREAM(s) KEYS (a,) SEQUENCE BY c": "an item of the list is empty",
    f"{FLOW} FROM STREAM(s) KEYS () SEQUENCE BY c": "the list of columns is empty",
    f"{FLOW} FROM STREAM(s u) KEYS (a) SEQUENCE BY c": "'u' is not expected here",
    "CREATE TABLE t CLUSTER BY (a b)": "'b' is not expected here",
    "CREATE TABLE t PARTITIONED BY (a DESC)": "'DESC' is not expected here",
    "CREATE TABLE t (CONSTRAINT a EXPECT (x) ON VIOLATON DROP ROW)": "VIOLATION is expected",
    "CREATE VIEW v (CONSTRAINT a EXPECT (x)) AS SELECT 1": "stands on a published view",
    "CREATE TEMPORARY VIEW v (CONSTRAINT a EXPECT (x)) AS SELECT 1": "stands on a temporary view",
    "CREATE TEMPORARY VIEW v (x INT) AS SELECT 1": "have no types and no masks",
    "CREATE VIEW v (x MASK f) AS SELECT 1 AS x": "have no types and no masks",
    "CREATE VIEW v PARTITIONED BY (x) AS SELECT 1 AS x": "a view has no PARTITIONED BY",
    "CREATE MATERIALIZED VIEW v REFRESH POLICY OFTEN AS SELECT 1": "takes AUTO, FULL",
    "CREATE LIVE VIEW v LOCATION '/x' AS SELECT 1": "a view has no LOCATION",
    "CREATE PRIVATE VIEW v AS SELECT 1": "write CREATE TEMPORARY VIEW",
    "CREATE PRIVATE LIVE VIEW v AS SELECT 1": "write CREATE TEMPORARY VIEW",
    "CREATE PRIVATE TABLE t (x INT)": "a managed table is always published",
    "CREATE TEMPORARY TABLE t (x INT)": "PRIVATE STREAMING TABLE",
    "CREATE OR REPLACE VIEW v AS SELECT 1": "write CREATE VIEW",
    "CREATE OR REPLACE FLOW f AS INSERT INTO t SELECT 1": "no statement of a pipeline",
    "CREATE OR REFRESH FLOW IF NOT EXISTS f AS INSERT INTO t SELECT 1": "exclude each other",
}


@pytest.mark.dlt(142, 172)
@pytest.mark.parametrize("text", WRONG)
def test_what_breaks_the_grammar_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(DefinitionError) as error:
        read(f"\n\n{text}")
    assert WRONG[text] in str(error.value)
    assert str(error.value.where).startswith("pipeline.sql:3:")


@pytest.mark.dlt(143)
def test_a_clause_in_the_wrong_place_is_refused() -> None:
    with pytest.raises(DefinitionError) as error:
        read(
            "APPLY CHANGES INTO t FROM STREAM(s) KEYS (a)\n"
            "SEQUENCE BY b\n"
            "APPLY AS DELETE WHEN op = 'D'"
        )
    assert "APPLY AS DELETE WHEN stands in the wrong place" in str(error.value)
    assert str(error.value.where) == "pipeline.sql:3:1"


def test_a_quote_that_does_not_end_is_refused() -> None:
    with pytest.raises(DefinitionError, match="ends inside of a quote") as error:
        read("SET a = 'x\ny';\nCREATE TEMPORARY VIEW v AS SELECT 'x;\nSET b = 'y';\n")
    assert str(error.value.where) == "pipeline.sql:3"
