"""`dlt-local sql`: names of the storage wherever Spark takes a table name, and what is printed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.local_shim.cli.command import assert_golden
from tests.local_shim.cli.conftest import Shop


def rows(shop: Shop, query: str) -> list[dict[str, object]]:
    result = shop.sql(query, "--format", "json")
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.lines]


def test_a_table_for_people(shop: Shop) -> None:
    assert_golden("sql_table.txt", shop.sql("SELECT * FROM orders ORDER BY id").out)


def test_csv_for_programs(shop: Shop) -> None:
    result = shop.sql("SELECT * FROM orders ORDER BY id", "--format", "csv")
    head, first, *_ = csv.reader(result.lines)
    assert head[:6] == ["id", "customer", "amount", "at", "tags", "place"]
    place = '{"city":"Graz","zip":"8010"}'
    assert first[:6] == ["1", "ann", "10.50", "2026-01-01 08:00:00.000001Z", '["new"]', place]


def test_json_keeps_nulls_and_microseconds(shop: Shop) -> None:
    first, second, _ = rows(shop, "SELECT at, place FROM orders ORDER BY id")
    assert first["at"] == "2026-01-01T08:00:00.000001Z"
    assert second["place"] == {"city": "Linz", "zip": None}


def test_two_columns_of_one_name(shop: Shop) -> None:
    query = "SELECT a.id, b.id FROM orders a JOIN orders b ON a.id = b.id WHERE a.id = 1"
    assert shop.sql(query).lines == ["id  id", "--  --", " 1   1", "(1 row)"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT orders.id FROM orders WHERE orders.id = 1",
        "SELECT id FROM DEFAULT.Orders WHERE id = 1",
        "SELECT id FROM `main`.`default`.`orders` WHERE id = 1;",
        "SELECT o.id FROM orders AS o WHERE o.id = 1",
        "WITH orders AS (SELECT * FROM orders WHERE id = 1) SELECT id FROM orders",
        "SELECT id FROM orders WHERE id IN (SELECT min(id) FROM orders)",
        "SELECT (SELECT min(id) FROM orders) AS id",
        "FROM orders |> WHERE id = 1 |> SELECT id",
        "SELECT orders.id FROM orders VERSION AS OF 1 WHERE orders.id = 1",
        "SELECT o.id FROM orders VERSION AS OF 1 o WHERE o.id = 1",
        "SELECT orders.id FROM orders TABLESAMPLE (100 PERCENT) WHERE orders.id = 1",
        "SELECT id FROM table_changes('orders', 1) WHERE id = 1",
        "SELECT id FROM table_changes('main.default.orders', 0, 1) WHERE id = 1",
        "-- a comment\nSELECT id FROM orders /* orders */ WHERE id = 1",
    ],
)
def test_a_query_names_tables_in_every_place(shop: Shop, query: str) -> None:
    assert rows(shop, query) == [{"id": 1}]


def test_a_query_as_of_a_timestamp(shop: Shop) -> None:
    newest = rows(shop, "DESCRIBE HISTORY orders")[0]["timestamp"]
    query = f"SELECT orders.id FROM orders TIMESTAMP AS OF '{newest}' WHERE orders.id = 1"
    assert rows(shop, query) == [{"id": 1}]


def test_the_statement_table(shop: Shop) -> None:
    assert len(rows(shop, "TABLE orders")) == 3


@pytest.mark.parametrize(
    "statement", ["DESCRIBE orders", "DESC TABLE default.orders", "DESCRIBE EXTENDED orders"]
)
def test_describe(shop: Shop, statement: str) -> None:
    first = rows(shop, statement)[0]
    assert (first["col_name"], first["data_type"]) == ("id", "int")


def test_describe_a_column_and_a_query(shop: Shop) -> None:
    column = rows(shop, "DESCRIBE orders amount")
    assert {"info_name": "data_type", "info_value": "decimal(10,2)"} in column
    assert rows(shop, "DESCRIBE QUERY SELECT id FROM orders")[0]["col_name"] == "id"


def test_describe_detail_and_history(shop: Shop) -> None:
    (detail,) = rows(shop, "DESCRIBE DETAIL orders")
    assert str(detail["location"]).endswith("/storage/tables/main/default/orders")
    history = rows(shop, "DESCRIBE HISTORY main.default.orders LIMIT 1")
    assert history[0]["version"] == 1


def test_show_tables(shop: Shop) -> None:
    names = [row["tableName"] for row in rows(shop, "SHOW TABLES")]
    assert names == ["customers", "orders", "totals"]  # no view, no private table
    assert_golden("sql_show_tables.txt", shop.sql("SHOW TABLES").out)
    assert rows(shop, "SHOW TABLES IN default LIKE 'c*|T*'")[1]["tableName"] == "totals"
    assert rows(shop, "SHOW TABLES IN main.default")[0]["tableName"] == "customers"
    assert shop.sql("SHOW TABLES IN nowhere").lines[-1] == "(0 rows)"


def test_show_schemas_and_catalogs(shop: Shop) -> None:
    assert rows(shop, "SHOW SCHEMAS") == [{"namespace": "default"}]
    assert rows(shop, "SHOW DATABASES IN main LIKE 'd*'") == [{"namespace": "default"}]
    assert rows(shop, "SHOW CATALOGS") == [{"catalog": "main"}]


def test_show_columns_and_properties(shop: Shop) -> None:
    expected = [{"col_name": "customer"}, {"col_name": "total"}]
    assert rows(shop, "SHOW COLUMNS IN totals") == expected
    assert rows(shop, "SHOW COLUMNS FROM totals IN main.default") == expected
    properties = {row["key"]: row["value"] for row in rows(shop, "SHOW TBLPROPERTIES orders")}
    assert properties["delta.enableChangeDataFeed"] == "true"


def test_explain_of_a_query(shop: Shop) -> None:
    assert "Physical Plan" in shop.sql("EXPLAIN SELECT * FROM orders").out


def test_the_event_log(shop: Shop) -> None:
    everything = rows(shop, "SELECT count(*) AS n FROM event_log")
    assert everything == rows(shop, "SELECT count(*) AS n FROM event_log(TABLE(orders))")
    pipeline = rows(shop, "SELECT DISTINCT origin.pipeline_id FROM event_log")[0]["pipeline_id"]
    assert everything == rows(shop, f"SELECT count(*) AS n FROM event_log('{pipeline}') e")
    assert rows(shop, "SELECT count(*) AS n FROM event_log('another')") == [{"n": 0}]


def test_the_files_that_an_auto_loader_table_has_read(shop: Shop) -> None:
    query = "SELECT * FROM cloud_files_state(TABLE(orders)) AS files WHERE files.size > 0"
    (row,) = rows(shop, query)
    assert str(row["path"]).endswith(".json") and row["flow_name"] == "main.default.orders"
    (checkpoint,) = shop.storage.glob("checkpoints/*/*orders/*/0")
    by_path = f"SELECT path, commit_time FROM cloud_files_state('{checkpoint}')"
    assert rows(shop, by_path) == [{key: row[key] for key in ("path", "commit_time")}]
    wrong = shop.sql("SELECT * FROM cloud_files_state('/nowhere')")
    assert "'/nowhere' is no checkpoint" in wrong.err


def test_a_wrong_name_gets_a_close_match(shop: Shop) -> None:
    result = shop.sql("SELECT * FROM ordres")
    assert result.code == 2
    assert_golden("sql_wrong_table.txt", result.err)
    assert "did you mean 'main.default.totals'?" in shop.sql("TABLE main.default.total").err


@pytest.mark.parametrize(
    "statement",
    [
        "DESCRIBE ordres",
        "DESCRIBE HISTORY ordres",
        "SHOW COLUMNS IN ordres",
        "SELECT * FROM ordres VERSION AS OF 1",
        "SELECT * FROM table_changes('ordres', 1)",
        "SELECT * FROM event_log(TABLE(ordres))",
        "SELECT * FROM cloud_files_state(TABLE(ordres))",
    ],
)
def test_a_wrong_name_in_a_command_gets_a_close_match(shop: Shop, statement: str) -> None:
    assert "did you mean 'orders'?" in shop.sql(statement).err


@pytest.mark.parametrize(
    "query", ["SELEC 1", "SELECT nothing FROM orders", "SELECT CAST('x' AS INT)"]
)
def test_a_wrong_query_is_reported_with_sparks_message(shop: Shop, query: str) -> None:
    result = shop.sql(query)
    assert result.code == 2 and result.err.startswith("[") and not result.out
    assert "Traceback" not in result.err and "JVM" not in result.err


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO orders VALUES (1)",
        "WITH a AS (SELECT 1) INSERT INTO orders SELECT * FROM a",
        "DELETE FROM orders",
        "UPDATE orders SET id = 1",
        "MERGE INTO orders USING totals ON true WHEN MATCHED THEN DELETE",
        "TRUNCATE TABLE orders",
        "DROP TABLE orders",
        "ALTER TABLE orders ADD COLUMN x INT",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TEMP VIEW v AS SELECT 1",
        "INSERT OVERWRITE DIRECTORY '/tmp/never' USING parquet SELECT 1",
        "OPTIMIZE orders",
        "VACUUM orders",
        "RESTORE TABLE orders TO VERSION AS OF 0",
        "SET spark.sql.ansi.enabled = false",
        "USE main",
        "BEGIN DELETE FROM orders; END",
    ],
)
def test_a_statement_that_writes_is_refused_by_name(shop: Shop, statement: str) -> None:
    before = shop.sql("DESCRIBE HISTORY orders").out
    result = shop.sql(statement)
    assert result.code == 2
    assert result.err.startswith(f"[READ_ONLY] {statement.split()[0]} is refused")
    assert shop.sql("DESCRIBE HISTORY orders").out == before


def test_a_query_in_a_file(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "query.sql").write_text("SELECT count(*) AS n\nFROM orders;\n")
    result = shop.command("sql", "-f", tmp_path / "query.sql", "--storage", "storage")
    assert result.lines == ["n", "-", "3", "(1 row)"]


def test_the_only_storage_needs_no_name(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / ".dlt-local" / "bucket").mkdir(parents=True)  # of the DMS stand-in: no storage
    (tmp_path / ".dlt-local" / "shop").symlink_to(shop.storage)
    assert Shop(tmp_path).command("sql", "SELECT 1 AS one").lines[2] == "  1"
