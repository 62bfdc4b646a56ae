"""The pipeline's list of tables says what the source database really has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dlt_pipelines.source_tables import SOURCE_TABLES, History, SourceTable

SCHEMA = Path(__file__).parents[2] / "init_sql" / "010_schema.sql"
TYPES = {
    "BIGINT": "BIGINT", "INTEGER": "INT", "SMALLINT": "SMALLINT", "TEXT": "STRING",
    "DATE": "DATE", "TIMESTAMPTZ": "TIMESTAMP", "BOOLEAN": "BOOLEAN",
}  # fmt: skip
LEFT_OUT = {("claim", "description")}  # the replication task does not send it
HISTORY = {
    "product": History.CURRENT, "invoice": History.CURRENT, "payment": History.CURRENT,
    "claim_party": History.CURRENT, "policy_version": History.LEDGER,
    "premium_transaction": History.LEDGER, "claim_transaction": History.LEDGER,
    "fund_price": History.LEDGER,
}  # fmt: skip


def in_the_database(table: str) -> dict[str, str]:
    """Column to silver type, read from the CREATE TABLE statement."""
    text = re.sub(r"--.*", "", SCHEMA.read_text())
    statement = re.search(rf"CREATE TABLE IF NOT EXISTS {table} \((.*?)\);\n", text, re.S)
    assert statement, f"no table {table} in {SCHEMA.name}"
    columns = re.findall(r"^\s+([a-z_0-9]+)\s+([A-Z]+(?:\([\d,]+\))?)", statement[1], re.M)
    return {name: silver_type(kind) for name, kind in columns if (table, name) not in LEFT_OUT}


def silver_type(kind: str) -> str:
    if kind.startswith("NUMERIC"):
        return kind.replace("NUMERIC", "DECIMAL")
    return TYPES.get(kind, "STRING" if kind.startswith("CHAR(") else kind)


@pytest.mark.parametrize("table", SOURCE_TABLES, ids=lambda table: table.name)
def test_columns_are_those_of_the_database_in_its_order(table: SourceTable) -> None:
    assert list(table.columns.items()) == list(in_the_database(table.name).items())
    assert set(table.keys) | table.hashed | set(table.cluster_by) <= set(table.columns)


def test_all_sixteen_tables_keep_their_kind_of_history() -> None:
    kinds = {table.name: table.history for table in SOURCE_TABLES}
    assert len(kinds) == 16
    assert kinds == {name: HISTORY.get(name, History.VERSIONS) for name in kinds}


def test_direct_identifiers_are_hashed() -> None:
    hashed = {f"{table.name}.{column}" for table in SOURCE_TABLES for column in table.hashed}
    assert hashed == {
        "party.name", "party.national_id", "party.email", "party.phone", "party_address.line1",
        "agent.name", "risk_object.external_ref", "claim_party.phone",
    }  # fmt: skip
