from datetime import date

import psycopg2
import pytest

from tests.init_sql.insurer import INIT_SQL, Database, apply_init_sql

TABLES = {
    "party", "party_address", "product", "agent", "policy", "policy_version", "risk_object",
    "coverage", "premium_transaction", "invoice", "payment", "claim", "claim_party",
    "claim_transaction", "fund_unit", "fund_price",
}  # fmt: skip


def test_the_public_schema_holds_exactly_the_sixteen_tables(insurer: Database) -> None:
    tables = insurer.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    assert {name for (name,) in tables} == TABLES


def test_the_publication_holds_exactly_the_sixteen_tables_and_each_has_a_key(
    insurer: Database,
) -> None:
    published = insurer.rows(
        "SELECT tablename FROM pg_publication_tables WHERE pubname = 'insurance'"
    )
    keyed = insurer.rows(
        "SELECT DISTINCT table_name FROM information_schema.table_constraints"
        " WHERE table_schema = 'public' AND constraint_type = 'PRIMARY KEY'"
    )
    assert {name for (name,) in published} == TABLES == {name for (name,) in keyed}


def test_the_scripts_can_run_again_over_a_living_book(insurer: Database) -> None:
    insurer.open_book(20, seed=1, years=1)
    ledger = "SELECT count(*), sum(amount) FROM premium_transaction"
    before = insurer.rows(ledger)
    apply_init_sql(insurer)
    assert insurer.rows(ledger) == before
    insurer.live(1)
    assert insurer.rows("SELECT * FROM check_business()") == []


def test_the_inserts_of_the_original_system_work(insurer: Database) -> None:
    insurer.run("INSERT INTO party(name, type) VALUES ('Ada Abel', 'individual')")
    insurer.run(
        "INSERT INTO policy(policy_number, party_id, policy_type, status, start_date, end_date)"
        " VALUES ('P-1', 1, 'life', 'ACTIVE', '2026-01-01', '2027-01-01')"
    )
    insurer.run("INSERT INTO fund_unit(fund_code, party_id, units) VALUES ('F1', 1, 100.5)")
    assert insurer.rows("SELECT policy_id, term_no, currency FROM policy") == [(1, 1, "EUR")]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO party(name, type) VALUES ('x', 'alien')",
        "INSERT INTO party(name, status) VALUES ('x', 'MERGED')",
        "INSERT INTO policy(policy_number, status, start_date, end_date)"
        " VALUES ('P', 'BOUND', '2026-01-01', '2026-01-01')",
        "INSERT INTO claim(claim_number, loss_date, reported_at, status)"
        " VALUES ('C', '2026-01-01', now(), 'CLOSED')",
        "INSERT INTO party_address(party_id, address_type, valid_from, valid_to)"
        " SELECT party_id, 'HOME', '2026-01-02', '2026-01-01' FROM party",
    ],
)
def test_what_the_model_forbids_in_one_row_is_refused(insurer: Database, sql: str) -> None:
    insurer.run("INSERT INTO party(name, type) VALUES ('Ada Abel', 'individual')")
    with pytest.raises(psycopg2.errors.CheckViolation):
        insurer.run(sql)


def test_agents_form_a_hierarchy_of_three_and_every_product_has_a_tariff(
    insurer: Database,
) -> None:
    depth = insurer.value(
        "WITH RECURSIVE tree AS ("
        " SELECT agent_id, 1 AS level FROM agent WHERE parent_agent_id IS NULL"
        " UNION ALL SELECT a.agent_id, level + 1 FROM agent a JOIN tree t"
        " ON t.agent_id = a.parent_agent_id) SELECT max(level) FROM tree"
    )
    unpriced = insurer.rows(
        "SELECT product_id FROM product WHERE product_id NOT IN (SELECT product_id FROM sim.tariff)"
    )
    assert (depth, unpriced) == (3, [])


def test_scripts_are_numbered_and_short() -> None:
    scripts = sorted(INIT_SQL.glob("*.sql"))
    assert len({path.name[:3] for path in scripts}) == len(scripts)
    assert all(len(path.read_text().splitlines()) <= 300 for path in scripts)


def test_a_book_opens_once_and_days_only_go_forward(insurer: Database) -> None:
    with pytest.raises(psycopg2.errors.RaiseException, match="NO_BOOK"):
        insurer.run("CALL live_day(%s)", date(2026, 7, 1))
    insurer.open_book(5, seed=1, years=1)
    with pytest.raises(psycopg2.errors.RaiseException, match="BOOK_ALREADY_OPEN"):
        insurer.open_book(5, seed=1, years=1)
    with pytest.raises(psycopg2.errors.RaiseException, match="DAY_ALREADY_CLOSED"):
        insurer.run("CALL live_day(%s)", date(2026, 6, 30))
    with pytest.raises(psycopg2.errors.RaiseException, match="GAP_TOO_LONG"):
        insurer.run("CALL live_day(%s)", date(2026, 8, 1))
