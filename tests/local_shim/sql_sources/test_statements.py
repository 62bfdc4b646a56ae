"""What the statements of SQL sources do when a pipeline runs them."""

from __future__ import annotations

import re
from datetime import date

import pytest

from local_shim.errors import ShimError
from tests.local_shim.sql_sources.conftest import SqlPipeline

FILES = "STREAM read_files('${landing}', format => 'csv', header => true)"
RAW = f"CREATE OR REFRESH STREAMING TABLE raw AS SELECT * FROM {FILES};\n"


def where(error: ShimError) -> list[str]:
    """The places that an error names, by line and column."""
    return re.findall(r"pipeline\.sql:(\d+(?::\d+)?)", str(error))


@pytest.mark.dlt(144)
def test_set_holds_for_later_statements_of_its_file(sql: SqlPipeline) -> None:
    sql.pipeline.conf["least"] = "5"
    sql.write(
        RAW
        + """
        CREATE OR REFRESH MATERIALIZED VIEW before AS SELECT id FROM raw WHERE amount > ${least};
        SET least = 8;
        CREATE OR REFRESH MATERIALIZED VIEW after AS SELECT id FROM raw WHERE amount > '${least}';
        """
    )
    sql.write(
        "CREATE OR REFRESH MATERIALIZED VIEW other AS SELECT id FROM raw WHERE amount > ${least}",
        "z_other.sql",
    )
    assert sql.update() == 0
    assert sql.rows("before", "id") == [(1,), (3,)]
    assert sql.rows("after", "id") == [(1,)]
    assert sql.rows("other", "id") == [(1,), (3,)]


@pytest.mark.dlt(144)
def test_set_reaches_the_flows_of_auto_cdc(sql: SqlPipeline) -> None:
    # Under ANSI, Spark's default, the casts of 'I' to a number would fail the flows.
    sql.write(
        RAW
        + """
        SET spark.sql.ansi.enabled = false;
        CREATE OR REFRESH STREAMING TABLE a FLOW AUTO CDC FROM STREAM(raw) KEYS (id)
        APPLY AS DELETE WHEN CAST(op AS INT) = 1 SEQUENCE BY amount COLUMNS (id, amount);
        CREATE OR REFRESH STREAMING TABLE b FLOW AUTO CDC ONCE
        FROM SNAPSHOT (SELECT id, CAST(op AS INT) AS op FROM raw) KEYS (id);
        """
    )
    assert sql.update() == 0, sql.pipeline.errors()
    assert sql.rows("a") == [(1, 10), (2, -5), (3, 7)]
    assert sql.rows("b") == [(1, None), (2, None), (3, None)]


@pytest.mark.dlt(144)
def test_a_parameter_without_a_value_and_a_key_without_one_are_refused(sql: SqlPipeline) -> None:
    sql.write(
        "CREATE TEMPORARY VIEW a AS SELECT 1 WHERE 1 > :least;\n"
        "CREATE TEMPORARY VIEW b AS SELECT ${nothing}; -- not ${this_one}\n"
    )
    with pytest.raises(ShimError) as error:
        sql.update()
    assert "UNBOUND_SQL_PARAMETER" in str(error.value)
    assert "CONFIGURATION_KEY_NOT_SET" in str(error.value)
    assert where(error.value) == ["1:47", "2:35"]


@pytest.mark.dlt(177)
def test_parameters_are_values_schemas_and_parts_of_names(sql: SqlPipeline) -> None:
    sql.pipeline.conf.update({"least": "8", "place": "gold", "year": "2026"})
    sql.write(
        RAW
        + """
        USE SCHEMA IDENTIFIER(:place);
        CREATE OR REFRESH MATERIALIZED VIEW IDENTIFIER('sales_' || :year) AS
        SELECT id, op::string AS op FROM main.default.raw WHERE amount > :least;
        CREATE OR REFRESH MATERIALIZED VIEW reader AS SELECT * FROM IDENTIFIER('sales_' || :year);
        """
    )
    assert sql.update() == 0
    assert sql.rows("main.gold.sales_2026") == [(1, "I")]
    assert sql.rows("main.gold.reader") == [(1, "I")]


def test_short_names_lie_in_the_schema_that_use_has_set(sql: SqlPipeline) -> None:
    sql.write(
        RAW
        + """
        USE CATALOG other;
        USE SCHEMA silver;
        CREATE OR REFRESH STREAMING TABLE clean AS SELECT id FROM STREAM(main.default.raw);
        CREATE OR REFRESH MATERIALIZED VIEW total AS
        WITH clean_ids AS (SELECT id FROM clean) SELECT count(clean.id) AS n FROM clean;
        """
    )
    assert sql.update() == 0
    assert sql.rows("other.silver.total") == [(3,)]


LEGACY = """
CREATE STREAMING LIVE TABLE raw AS SELECT * FROM cloud_files(
  '${landing}', 'csv', map('header', 'true', 'cloudFiles.inferColumnTypes', 'true'));
CREATE TEMPORARY LIVE TABLE hidden AS SELECT id, amount FROM LIVE.raw;
CREATE LIVE VIEW valid (CONSTRAINT positive EXPECT (amount > 0) ON VIOLATION DROP ROW)
AS SELECT * FROM LIVE.hidden;
CREATE OR REFRESH LIVE TABLE total COMMENT 'all' AS SELECT sum(amount) AS total FROM LIVE.valid
"""


@pytest.mark.dlt(142, 15)
def test_the_statements_of_2022_run(sql: SqlPipeline) -> None:
    sql.write(LEGACY)
    assert sql.update() == 0
    assert sql.rows("total") == [(17,)]
    notes = {
        e.message.split(" at ")[0] for e in sql.pipeline.events if e.event_type == "deprecation"
    }
    assert {
        "SQL_CREATE_LIVE_TABLE",
        "SQL_CREATE_STREAMING_LIVE_TABLE",
        "SQL_CREATE_LIVE_VIEW",
    } <= notes


def test_metadata_of_files_is_at_hand_and_hidden_from_stars(sql: SqlPipeline) -> None:
    sql.write(
        f"""
        CREATE OR REFRESH STREAMING TABLE a AS
        SELECT *, _metadata.file_name AS file FROM {FILES} WHERE _metadata.file_size > 0;
        CREATE OR REFRESH MATERIALIZED VIEW b AS
        SELECT * FROM (SELECT * EXCEPT (op), _metadata.file_name FROM
        read_files('${{landing}}', format => 'csv', header => 'true'));
        """
    )
    assert sql.update() == 0
    assert sql.pipeline.table("a").columns == ["id", "amount", "op", "_rescued_data", "file"]
    assert sql.pipeline.table("b").columns == ["id", "amount", "_rescued_data", "file_name"]
    assert sql.rows("b")[0] == (1, 10, None, "1.csv")


def test_files_are_read_in_batch_with_hints_and_listed(sql: SqlPipeline) -> None:
    """The ending of the files says their format, and inference assumes a header."""
    sql.arrive("1.csv", "id,amount,op", "007,1,I")
    sql.write(
        """
        CREATE OR REFRESH MATERIALIZED VIEW a AS SELECT id FROM
        read_files('${landing}/*.csv', schemaHints => 'id STRING');
        CREATE OR REFRESH MATERIALIZED VIEW b AS
        SELECT name, size FROM list_files('${landing}')
        """
    )
    assert sql.update() == 0
    assert sql.rows("a") == [("007",)]
    size = (sql.pipeline.folder / "landing" / "1.csv").stat().st_size
    assert sql.rows("b") == [("1.csv", size)]


def test_files_read_in_batch_have_the_columns_and_rows_of_a_stream(sql: SqlPipeline) -> None:
    """Nested hints, rescued values, and columns from the names of folders."""
    folder = sql.pipeline.folder / "landing" / "json" / "day=2"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text(
        '{"id": 1, "who": {"born": "2001-02-03", "age": 5}}\n{"id": "x", "who": {"born": "soon"}}\n'
    )
    call = """read_files('${landing}/json', format => 'json',
        schemaHints => 'id INT, who.born DATE, who.age SMALLINT, partitionless STRING',
        partitionColumns => 'day')"""
    sql.write(
        f"""
        CREATE OR REFRESH STREAMING TABLE a AS SELECT *, _metadata.file_name FROM STREAM {call};
        CREATE OR REFRESH MATERIALIZED VIEW b AS SELECT *, _metadata.file_name FROM {call};
        CREATE OR REFRESH MATERIALIZED VIEW c AS SELECT * FROM read_files('${{landing}}',
            format => 'csv', header => true, schema => 'id INT, op INT', fileNamePattern => '*.csv',
            rescuedDataColumn => '_rescued_data');
        CREATE OR REFRESH MATERIALIZED VIEW d AS SELECT value:id, value:who.age AS age,
            Current_Catalog() AS catalog FROM text.`${{landing}}/json/day=2/1.json`;
        """
    )
    sql.write(
        """
        import dlt
        @dlt.table
        def e():
            return spark.sql("SELECT value:who.born AS born FROM (SELECT '{}' AS value)")
        """,
        "e.py",
    )
    assert sql.update() == 0, sql.pipeline.errors()
    assert sql.pipeline.table("b").schema == sql.pipeline.table("a").schema
    rows = sql.rows("b", "id", "who.born", "who.age", "day", "_rescued_data")
    assert rows == sql.rows("a", "id", "who.born", "who.age", "day", "_rescued_data")
    assert rows[0] == (1, date(2001, 2, 3), 5, 2, None)
    assert rows[1][:4] == (None, None, None, 2) and '"id":"x"' in str(rows[1][4])
    assert [row[:2] for row in sql.rows("c")] == [(1, None), (2, None), (3, None)]
    assert '"op":"I"' in str(sql.rows("c")[0][2])
    assert sql.rows("d", "id", "age", "catalog") == [("1", "5", "main"), ("x", None, "main")]
    assert sql.rows("e") == [(None,)]
    assert "no file reads" not in " ".join(sql.pipeline.warnings())
    (folder / "2.json").write_text('{"id": 3}\n')
    assert sql.update() == 0, sql.pipeline.errors()
    assert len(sql.rows("b")) == 3


@pytest.mark.dlt(169)
def test_insert_by_name_matches_columns_by_name(sql: SqlPipeline) -> None:
    sql.write(
        f"""
        CREATE OR REFRESH STREAMING TABLE t FLOW INSERT BY NAME SELECT id, amount FROM {FILES};
        CREATE FLOW old AS INSERT INTO ONCE t BY NAME SELECT 7 AS amount, 0 AS id;
        """
    )
    assert sql.update() == 0
    assert sql.update() == 0
    assert sql.rows("t", "id", "amount") == [(0, 7), (1, 10), (2, -5), (3, 7)]


@pytest.mark.dlt(168, 145)
def test_one_statement_of_auto_cdc_gives_the_table_of_two(sql: SqlPipeline) -> None:
    clauses = """FROM STREAM(raw) KEYS (id) APPLY AS DELETE WHEN op = 'D'
        SEQUENCE BY amount COLUMNS * EXCEPT (op, _rescued_data) STORED AS SCD TYPE 2"""
    sql.write(
        RAW
        + f"""
        CREATE OR REFRESH STREAMING TABLE one FLOW AUTO CDC {clauses};
        CREATE OR REFRESH STREAMING TABLE two;
        CREATE FLOW two AS AUTO CDC INTO two {clauses};
        CREATE OR REFRESH STREAMING TABLE three;
        APPLY CHANGES INTO three {clauses};
        """
    )
    assert sql.update() == 0
    sql.arrive("2.csv", "id,amount,op", "1,12,U", "3,9,D")
    assert sql.update() == 0
    rows = sql.rows("one")
    assert [row[:2] for row in rows] == [(1, 10), (1, 12), (2, -5), (3, 7)]
    assert sql.rows("two") == rows
    assert sql.rows("three") == rows


VERSIONED = """
CREATE OR REFRESH STREAMING TABLE target;
CREATE FLOW snapshots AS AUTO CDC INTO target
FROM SNAPSHOT (
  SELECT id, tracked, other FROM read_files('${landing}', format => 'json')
  WHERE version = (SELECT v FROM current_snapshot_version())
)
WITH VERSION (
  SELECT min(version) AS v FROM read_files('${landing}', format => 'json')
  WHERE version > coalesce((SELECT v FROM last_snapshot_version()), 0)
  HAVING min(version) IS NOT NULL
)
KEYS (id) STORED AS SCD TYPE 2 TRACK HISTORY ON (tracked);
"""


@pytest.mark.dlt(164, 165)
def test_snapshots_by_a_version_query(sql: SqlPipeline) -> None:
    (sql.pipeline.folder / "landing" / "1.csv").unlink()
    sql.arrive(
        "1.json",
        '{"version": 1, "id": 1, "tracked": "a1", "other": "b1"}',
        '{"version": 1, "id": 2, "tracked": "a2", "other": "b2"}',
        '{"version": 1, "id": 4, "tracked": "a4", "other": "b4"}',
        '{"version": 2, "id": 2, "tracked": "a2_new", "other": "b2"}',
        '{"version": 2, "id": 3, "tracked": "a3", "other": "b3"}',
        '{"version": 2, "id": 4, "tracked": "a4", "other": "b4_new"}',
    )
    sql.write(VERSIONED)
    assert sql.update() == 0, sql.pipeline.errors()
    expected = [
        (1, "a1", "b1", 1, 2),
        (2, "a2", "b2", 1, 2),
        (2, "a2_new", "b2", 2, None),
        (3, "a3", "b3", 2, None),
        (4, "a4", "b4_new", 1, None),
    ]
    assert sql.rows("target") == expected
    assert sql.update() == 0
    assert sql.rows("target") == expected


@pytest.mark.dlt(166)
@pytest.mark.parametrize(
    "version", ["SELECT 1 AS a, 2 AS b", "SELECT CAST(NULL AS INT) AS v", "VALUES (1), (2)"]
)
def test_a_wrong_version_query_fails_its_flow(sql: SqlPipeline, version: str) -> None:
    sql.write(
        RAW
        + "CREATE OR REFRESH STREAMING TABLE target FLOW AUTO CDC "
        + f"FROM SNAPSHOT (SELECT 1 AS id) WITH VERSION ({version}) KEYS (id);"
    )
    text = "INVALID_AUTO_CDC_FROM_SNAPSHOT_VERSION_QUERY"
    try:
        assert sql.update() == 1
        assert text in sql.pipeline.errors()[0]
    except ShimError as error:
        assert text in str(error)


BY_VERSION = """
CREATE OR REFRESH STREAMING TABLE {name} FLOW AUTO CDC FROM SNAPSHOT (SELECT 1 AS id)
WITH VERSION (SELECT {version} WHERE NOT EXISTS (SELECT * FROM last_snapshot_version()))
KEYS (id);
"""


@pytest.mark.dlt(166)
def test_the_version_column_keeps_its_name_and_type_between_updates(sql: SqlPipeline) -> None:
    def declare(type_: str, name: str) -> None:
        of_type = BY_VERSION.format(name="typed", version=f"CAST(1 AS {type_}) AS v")
        sql.write(of_type + BY_VERSION.format(name="named", version=f"1 AS {name}"))

    declare("INT", "v")
    assert sql.update() == 0, sql.pipeline.errors()
    declare("BIGINT", "w")
    assert sql.update() == 1
    changed = "AUTO_CDC_FROM_SNAPSHOT_VERSION_SCHEMA_CHANGED"
    errors = "\n".join(error for error in sql.pipeline.errors() if changed in error)
    assert "'typed': its version query gives the column v bigint, and gave v int" in errors
    assert "'named': its version query gives the column w int, and gave v int" in errors
    assert sql.update(full_refresh_all=True) == 0, sql.pipeline.errors()
    assert sql.rows("typed") == sql.rows("named") == [(1,)]


BITEMPORAL = """
CREATE OR REFRESH STREAMING TABLE changes AS SELECT * EXCEPT (_rescued_data)
FROM STREAM read_files('${landing}', format => 'csv', header => true);
CREATE OR REFRESH STREAMING TABLE in_sql FLOW AUTO CDC FROM STREAM(changes) KEYS (id)
APPLY AS DELETE WHEN op = 'D' SEQUENCE BY valid SYSTEM SEQUENCE BY known
COLUMNS * EXCEPT (op, valid, known) STORED AS BITEMPORAL;
"""
IN_PYTHON = """
import dlt

dlt.create_streaming_table("in_python")
dlt.create_auto_cdc_flow(
    target="in_python", source="changes", keys=["id"], apply_as_deletes="op = 'D'",
    sequence_by="valid", system_sequence_by="known", stored_as_scd_type="bitemporal",
    except_column_list=["op", "valid", "known"],
)
"""


@pytest.mark.dlt(157)
def test_bitemporal_storage_in_sql_is_that_of_python(sql: SqlPipeline) -> None:
    sql.arrive("1.csv", "id,op,amount,valid,known", "1,I,10,1,1", "1,U,12,5,5", "2,I,7,2,2")
    sql.write(BITEMPORAL)
    sql.write(IN_PYTHON, "other.py")
    assert sql.update() == 0, sql.pipeline.errors()
    sql.arrive("2.csv", "id,op,amount,valid,known", "1,U,11,3,9", "2,D,,8,9")
    assert sql.update() == 0, sql.pipeline.errors()
    assert sql.pipeline.table("in_sql").schema == sql.pipeline.table("in_python").schema
    rows = sql.rows("in_sql")
    assert rows == sql.rows("in_python")
    assert (1, 11, 3, 5, 9, None) in rows and (1, 10, 1, 5, 5, 9) in rows


@pytest.mark.dlt(180)
def test_the_event_log_tells_flows_of_changes_from_flows_of_snapshots(sql: SqlPipeline) -> None:
    change = "CREATE OR REFRESH STREAMING TABLE {} FLOW AUTO CDC FROM STREAM(raw) KEYS (id) {};"
    stored = "SEQUENCE BY amount STORED AS SCD TYPE {}"
    system = "SEQUENCE BY amount SYSTEM SEQUENCE BY amount STORED AS BITEMPORAL"
    sql.write(
        RAW
        + change.format("one", stored.format(1))
        + change.format("two", stored.format(2))
        + change.format("three", system)
        + "CREATE OR REFRESH STREAMING TABLE four FLOW AUTO CDC ONCE "
        + "FROM SNAPSHOT (SELECT id FROM raw) KEYS (id);"
    )
    sql.write(
        "import dlt\n"
        "dlt.create_streaming_table('five')\n"
        "dlt.create_auto_cdc_from_snapshot_flow(target='five', source='raw', keys=['id'])\n",
        "other.py",
    )
    assert sql.update() == 0, sql.pipeline.errors()
    types, once, counts = {}, {}, {}
    for event in sql.pipeline.events:
        name = str(event.origin.get("flow_name", "")).split(".")[-1]
        if event.event_type == "flow_definition" and name != "raw":
            types[name], once[name] = event.details["flow_type"], event.details["once"]
        if event.event_type == "flow_progress" and "metrics" in event.details:
            counts[name] = event.details["metrics"]
    expected = dict.fromkeys(("one", "two", "three"), "CHANGE")
    assert types == {**expected, "four": "SNAPSHOT_CHANGE", "five": "SNAPSHOT_CHANGE"}
    assert [name for name, value in once.items() if value] == ["four"]
    assert {"one", "two", "three"} <= counts.keys() and not {"four", "five"} & counts.keys()


@pytest.mark.dlt(165)
def test_a_version_function_in_the_wrong_place_is_refused(sql: SqlPipeline) -> None:
    sql.write(
        "CREATE OR REFRESH STREAMING TABLE t FLOW AUTO CDC "
        "FROM SNAPSHOT (SELECT * FROM last_snapshot_version()) KEYS (id);"
    )
    with pytest.raises(ShimError, match="INVALID_USAGE_OF_SNAPSHOT_VERSION_FUNCTION"):
        sql.update()


@pytest.mark.dlt(167)
def test_a_snapshot_without_versions_fills_an_empty_target_once(sql: SqlPipeline) -> None:
    flow = """
        CREATE OR REFRESH STREAMING TABLE {name} FLOW AUTO CDC {once}
        FROM SNAPSHOT (SELECT id FROM raw) KEYS (id);
    """
    sql.write(RAW + flow.format(name="a", once="") + flow.format(name="b", once="ONCE"))
    assert sql.update() == 0, sql.pipeline.errors()
    assert sql.rows("a") == sql.rows("b") == [(1,), (2,), (3,)]
    assert sql.update() == 1
    assert "AUTO_CDC_FROM_SNAPSHOT_NON_EMPTY_TARGET_WITHOUT_VERSION" in sql.pipeline.errors()[0]
    assert sql.pipeline.view.flows["b"].status in ("SKIPPED", "IDLE")


@pytest.mark.dlt(149, 150)
def test_all_errors_of_a_file_are_reported_with_their_places(sql: SqlPipeline) -> None:
    sql.write(
        "CREATE OR REFRESH MATERIALIZED VIEW a AS\n"
        "SELECT id\n"
        "  , , amount FROM raw;\n"
        "CREATE OR REFRESH MATERIALIZED VIEW b (CONSTRAINT c EXPECT (id >)) AS SELECT 1 AS id;\n"
        "DROP TABLE raw;\n" + RAW
    )
    with pytest.raises(ShimError) as error:
        sql.update()
    assert where(error.value) == ["3:5", "4", "5:1"]
    assert not (sql.pipeline.folder / "storage").exists()


def test_an_error_of_a_query_names_line_and_column(sql: SqlPipeline) -> None:
    sql.write(RAW + "\n\nCREATE OR REFRESH MATERIALIZED VIEW a AS\nSELECT id,\n  amuont\nFROM raw")
    with pytest.raises(ShimError) as error:
        sql.update()
    assert "name `amuont` cannot be resolved" in str(error.value)
    assert where(error.value) == ["6:3"]


@pytest.mark.dlt(150)
def test_columns_of_errors_are_those_of_the_text_as_it_was_written(sql: SqlPipeline) -> None:
    sql.pipeline.conf.update({"columns": "id,\n  amount", "least": "1000000"})
    sql.write(
        RAW
        + "CREATE OR REFRESH MATERIALIZED VIEW a AS\n"
        + "SELECT ${columns}, amuont FROM raw;\n"
        + "CREATE OR REFRESH MATERIALIZED VIEW b AS\n"
        + "SELECT id AS idd_of_raw FROM raw WHERE id > ${least} AND idd = 1;\n"
        + "CREATE OR REFRESH MATERIALIZED VIEW c AS SELECT ${least} FROM raw WHERE ORDER id;"
    )
    with pytest.raises(ShimError) as syntax:
        sql.update()
    assert where(syntax.value) == ["6:73"]
    path = sql.pipeline.folder / "source" / "pipeline.sql"
    path.write_text(path.read_text().replace("WHERE ORDER id", ""))
    with pytest.raises(ShimError) as names:
        sql.update()
    assert where(names.value) == ["3:20", "5:58"]


@pytest.mark.dlt(149)
def test_a_table_in_sql_and_in_python_is_defined_twice(sql: SqlPipeline) -> None:
    sql.write(RAW)
    sql.write("import dlt\n\n@dlt.table\ndef raw():\n    return spark.range(1)\n", "other.py")
    with pytest.raises(ShimError, match="PIPELINE_DUPLICATE_IDENTIFIERS") as error:
        sql.update()
    assert "pipeline.sql:1" in str(error.value) and "other.py:3" in str(error.value)


def test_sql_and_python_files_read_each_other(sql: SqlPipeline) -> None:
    sql.write(RAW + "CREATE OR REFRESH MATERIALIZED VIEW c AS SELECT plus_one(n) AS n FROM b")
    sql.write(
        "import dlt\n"
        "spark.udf.register('plus_one', lambda n: n + 1, 'bigint')\n\n"
        "@dlt.table\ndef b():\n    return spark.sql('SELECT count(*) AS n FROM raw')\n",
        "other.py",
    )
    assert sql.update() == 0, sql.pipeline.errors()
    assert sql.rows("c") == [(4,)]


@pytest.mark.dlt(90)
def test_a_batch_query_of_a_streaming_table_is_refused(sql: SqlPipeline) -> None:
    sql.write(RAW + "CREATE OR REFRESH STREAMING TABLE t AS SELECT * FROM raw")
    with pytest.raises(ShimError, match="BATCH_RELATION_FOR_STREAMING_TABLE"):
        sql.update()


def test_a_published_view_does_not_stream(sql: SqlPipeline) -> None:
    sql.write(RAW + "CREATE VIEW v AS\nSELECT * FROM STREAM(raw)")
    with pytest.raises(ShimError, match="STREAMING_RELATION_FOR_PERSISTED_VIEW") as error:
        sql.pipeline.plan()
    assert where(error.value) == ["3:15"]


def test_clauses_without_effect_are_reported(sql: SqlPipeline) -> None:
    sql.write(
        """
        CREATE OR REFRESH MATERIALIZED VIEW t (id INT MASK hide, name STRING)
        LOCATION '/somewhere' WITH ROW FILTER visible ON (id)
        AS SELECT 1 AS id, 'x' AS name;
        CREATE VIEW v COMMENT 'seen by all' AS SELECT * FROM t;
        """
    )
    assert sql.update() == 0, sql.pipeline.errors()
    warnings = " ".join(sql.pipeline.warnings())
    for words in ("mask of column 'id'", "LOCATION '/somewhere'", "row_filter of", "view 'v'"):
        assert words in warnings
