"""From the text of DMS files to change rows: types, sequence, key updates, masks, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines import dms, quality
from dlt_pipelines.source_tables import SOURCE_TABLES
from dlt_pipelines.transforms.changes import as_written, changes_to_apply, typed_changes
from tests.dlt_pipelines.local_frame import local_frame

TABLES = {table.name: table for table in SOURCE_TABLES}
COMMITTED = "2024-05-28 19:51:41.388146"
CHANGE = "20240528195141380000000000000000061"
ADDRESS = {"address_id": "1", "party_id": "7", "address_type": "HOME", "valid_from": "2024-01-01"}


@pytest.fixture
def bronze(spark: SparkSession) -> Any:
    """`bronze(table, rows)`: the bronze frame of rows given as dicts of text."""

    def frame(name: str, *rows: dict[str, str | None]) -> DataFrame:
        columns = [*dms.file_columns(TABLES[name]), dms.RESCUED, "_file"]
        ddl = ", ".join(f"`{column}` STRING" for column in columns)
        usual: dict[str, str | None] = {
            dms.OP: "I",
            dms.COMMIT_TIME: COMMITTED,
            dms.CHANGE_SEQUENCE: CHANGE,
        }
        usual |= {"_file": "LOAD00000001.csv"}
        full = [usual | row for row in rows]
        assert all(set(row) <= set(columns) for row in full)
        return local_frame(spark, [tuple(row.get(c) for c in columns) for row in full], ddl)

    return frame


@pytest.fixture
def changes(bronze: Any) -> Any:
    """Change rows of one table as they would reach AUTO CDC, with the reasons to refuse them."""

    def rows(name: str, *bronze_rows: dict[str, str | None]) -> list[Row]:
        table = TABLES[name]
        applied = changes_to_apply(typed_changes(bronze(name, *bronze_rows), table), table, "")
        rules = quality.drop_rules(table)
        judged = applied.selectExpr(
            "*",
            f"{quality.broken(rules)} AS reasons",
            f"{quality.any_broken(rules)} AS is_refused",
        )
        rows = judged.collect()
        assert all(row.is_refused == bool(row.reasons) for row in rows)
        return rows

    return rows


def test_text_becomes_the_type_of_its_column(changes: Any) -> None:
    (row,) = changes(
        "premium_transaction",
        {
            "premium_txn_id": "42", "policy_id": "7", "amount": "-480.00",
            "earn_from": "2024-03-01", "earn_to": "2024-07-01", "booked_on": "2024-03-05",
        },
    )  # fmt: skip
    assert (row.premium_txn_id, str(row.amount), str(row.booked_on)) == (
        42,
        "-480.00",
        "2024-03-05",
    )
    assert (row._wrong_type, row.reasons, row.coverage_id) == (None, [], None)
    assert str(row._commit_ts) == COMMITTED


@pytest.mark.parametrize("marker", ["\\N", "NULL", "<null>", "'", ""])
def test_null_and_empty_text_stay_two_things(
    spark: SparkSession, tmp_path: Path, marker: str
) -> None:
    table = TABLES["party"]
    names = [dms.OP, "party_id", "name", "type", "email", "birth_date", "nickname", dms.RESCUED]
    fields = ["I", "1", "", marker, '""', "", marker, ""]
    (tmp_path / "LOAD00000001.csv").write_text(f"{','.join(names)}\n{','.join(fields)}\n")
    options = dms.reader_options(table) | {"columnNameOfCorruptRecord": "_"}
    schema = ", ".join(f"`{name}` STRING" for name in names)
    read = spark.read.options(**options).schema(schema).csv(str(tmp_path))
    (row,) = as_written(read, table, marker).collect()
    empty = None if marker == "" else ""
    assert (row.Op, row.party_id, row.type, row.nickname) == ("I", "1", None, None)
    assert (row.name, row.email) == (empty, empty)
    assert (row.birth_date, row[dms.RESCUED]) == (None, None)


def test_an_empty_identifier_has_no_digest(changes: Any) -> None:
    (row,) = changes("party", {"party_id": "1", "name": "", "email": None, "phone": "1"})
    assert (row.name, row.email, len(row.phone)) == ("", None, 64)


def test_load_rows_sort_before_the_changes_that_follow_and_after_those_they_replace(
    changes: Any,
) -> None:
    loaded = ADDRESS | {dms.CHANGE_SEQUENCE: ""}
    reloaded = loaded | {dms.COMMIT_TIME: "2024-05-29 00:00:00.000000"}
    rows = changes("party_address", reloaded, ADDRESS | {dms.OP: "U"}, loaded)
    assert [row._seq for row in rows] == [
        "2024052900000000" + "0" * 19,
        CHANGE,
        "2024052819514138" + "0" * 19,
    ]
    assert {len(row._seq) for row in rows} == {35}


def test_an_update_of_a_key_is_a_delete_of_the_old_and_an_upsert_of_the_new(changes: Any) -> None:
    moved: dict[str, str]
    same_key: dict[str, str]
    loaded: dict[str, str]
    moved, same_key, loaded = (
        {dms.OP: "U", "BI_address_id": "9"},
        {dms.OP: "U", "BI_address_id": "1"},
        {},
    )
    rows = changes("party_address", *(ADDRESS | row for row in (moved, same_key, loaded)))
    operations = [(row.Op, row.address_id) for row in rows]
    assert operations == [("D", 9), ("U", 1), ("U", 1), ("I", 1)]
    assert rows[0]._seq == rows[1]._seq


def test_one_column_of_a_compound_key_may_move(bronze: Any) -> None:
    table = TABLES["fund_price"]
    price = {
        dms.OP: "U", "fund_code": "BOND", "price_date": "2024-01-02", "bid_price": "1.5",
        "BI_fund_code": "CASH", "BI_price_date": "2024-01-02",
    }  # fmt: skip
    rows = changes_to_apply(typed_changes(bronze("fund_price", price), table), table, "").collect()
    assert [(row.Op, row.fund_code) for row in rows] == [("D", "CASH"), ("U", "BOND")]
    assert {str(row.price_date) for row in rows} == {"2024-01-02"}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({dms.OP: "X"}, "operation known"),
        ({dms.COMMIT_TIME: "yesterday"}, "commit time known"),
        ({dms.RESCUED: '{"_c9": "1"}'}, "fields fit header"),
        ({dms.CORRUPT: "I,1"}, "fields fit header"),
        ({"party_id": "seven"}, "values fit types"),
        ({"valid_from": "2024-02-30"}, "values fit types"),
        ({"address_id": None}, "address_id present"),
        ({"party_id": None}, "party_id present"),
    ],
)
def test_a_row_that_means_nothing_is_refused_with_the_reason(
    changes: Any, broken: dict[str, str | None], reason: str
) -> None:
    (row, fine) = changes("party_address", ADDRESS | broken, ADDRESS)
    assert reason in row.reasons
    assert fine.reasons == []


def test_the_quarantine_names_the_columns_that_do_not_fit(changes: Any) -> None:
    (row,) = changes("party_address", ADDRESS | {"party_id": "seven", "valid_to": "soon"})
    assert row._wrong_type == "party_id, valid_to"
    assert row._raw.party_id == "seven"
    assert row._raw._file == "LOAD00000001.csv"


def test_a_delete_needs_nothing_but_its_key(changes: Any) -> None:
    (row,) = changes("party_address", {dms.OP: "D", "address_id": "1"})
    assert row.reasons == []


@pytest.mark.parametrize("op", ["U", "D"])
def test_a_ledger_takes_inserts_only(changes: Any, op: str) -> None:
    booking = {
        dms.OP: op, "claim_txn_id": "1", "claim_id": "2", "amount": "3.00",
        "accounting_date": "2024-01-01",
    }  # fmt: skip
    (row,) = changes("claim_transaction", booking)
    assert row.reasons == ["append only"]


def test_a_row_without_op_is_a_loaded_row(changes: Any) -> None:
    (row,) = changes("party_address", ADDRESS | {dms.OP: None})
    assert (row.Op, row.reasons) == ("I", [])


def test_equal_identifiers_stay_equal_across_tables_and_are_not_readable(bronze: Any) -> None:
    party = typed_changes(bronze("party", {"party_id": "1", "phone": "+44 1"}), TABLES["party"])
    other = typed_changes(
        bronze("claim_party", {"claim_party_id": "5", "phone": "+44 1"}, {"claim_party_id": "6"}),
        TABLES["claim_party"],
    )
    (party_row,) = changes_to_apply(party, TABLES["party"], "salt").collect()
    right, none = changes_to_apply(other, TABLES["claim_party"], "salt").collect()
    assert party_row.phone == right.phone != "+44 1"
    assert none.phone is None
    (unsalted,) = changes_to_apply(party, TABLES["party"], "").collect()
    assert unsalted.phone != party_row.phone


def test_a_malformed_address_is_seen_before_it_is_changes_to_apply(bronze: Any) -> None:
    emails = ["a.b@example.org", "nobody", "a@b", "x y@example.org", None]
    rows = [{"party_id": str(n), "email": email} for n, email in enumerate(emails)]
    table = TABLES["party"]
    typed = changes_to_apply(typed_changes(bronze("party", *rows), table), table, "")
    (rule,) = quality.raw_warn_rules(table).values()
    good = typed.where(rule).collect()
    assert sorted(row.party_id for row in good) == [0, 4]


@pytest.mark.parametrize("table", SOURCE_TABLES, ids=lambda table: table.name)
def test_every_rule_is_sql_over_the_columns_of_its_table(bronze: Any, table: Any) -> None:
    typed = typed_changes(bronze(table.name), table)
    rules = quality.drop_rules(table) | quality.raw_warn_rules(table)
    typed.selectExpr(*rules.values())
    typed.select(*table.columns).selectExpr("1", *quality.warn_rules(table).values())


def test_nothing_personal_of_an_erased_party_reaches_silver(changes: Any) -> None:
    person: dict[str, str | None] = {
        "party_id": "7", "name": "Ann", "email": "ann@mail.eu", "phone": "1", "national_id": "2",
        "gender": "F", "birth_date": "1990-01-01", "type": "individual",
    }  # fmt: skip
    active, erased = changes("party", person | {"status": "ACTIVE"}, person | {"status": "ERASED"})
    personal = ("name", "email", "phone", "national_id", "gender", "birth_date")
    assert all(active[name] is not None for name in personal)
    assert [erased[name] for name in personal] == [None] * 6
    assert (erased.party_id, erased.type, erased.reasons) == (7, "individual", [])
