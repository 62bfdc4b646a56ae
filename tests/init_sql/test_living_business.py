"""The business stays whole whatever is lived, repeats for a seed, and is as unkind as promised."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg2
import pytest

from tests.init_sql.insurer import Database, OpenBook

FINGERPRINT = """
SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {table} AS t"""
TABLES = ("party", "party_address", "policy", "policy_version", "risk_object", "coverage",
          "premium_transaction", "invoice", "payment", "claim", "claim_party",
          "claim_transaction", "fund_unit", "fund_price")  # fmt: skip
LEDGERS = ("policy_version", "premium_transaction", "claim_transaction", "fund_price")


def fingerprints(db: Database) -> dict[str, object]:
    return {table: db.value(FINGERPRINT.format(table=table)) for table in TABLES}


@pytest.mark.parametrize("seed", [11, 12])
def test_no_rule_is_broken_after_years_of_history_and_a_month_of_days(
    open_book: OpenBook, seed: int
) -> None:
    book = open_book(250, seed)
    assert book.rows("SELECT * FROM check_business()") == []
    for _ in range(3):
        book.live(10)
        assert book.rows("SELECT * FROM check_business()") == [], f"seed {seed}"


def test_the_same_seed_writes_the_same_rows_in_any_time_zone_and_another_seed_others(
    insurer: Database, open_book: OpenBook
) -> None:
    insurer.run("SET TimeZone = 'Pacific/Auckland'")
    insurer.open_book(60, seed=21, years=1)
    first, other = (open_book(60, seed, years=1) for seed in (21, 22))
    for book in (insurer, first, other):
        book.live(3)
    insurer.run("SET TimeZone = 'UTC'")
    assert fingerprints(insurer) == fingerprints(first)
    assert fingerprints(first)["claim"] != fingerprints(other)["claim"]


def test_the_rules_hold_at_every_commit_of_a_day(small_book: Database) -> None:
    """The parts of a day, each followed by the check, as another session would see it."""
    parts = ("sell", "change_contracts", "handle_claims", "take_money", "keep_parties")
    first = small_book.value("SELECT closed_day + 1 FROM sim.book")
    assert isinstance(first, date)
    with small_book.undone():
        for part in parts:
            small_book.run(f"CALL sim.{part}(%s, %s)", first, first + timedelta(days=30))
            assert small_book.rows("SELECT * FROM check_business()") == [], part


# One broken row for each rule that a clerk could break without a constraint noticing.
MISCHIEF = {
    "policy status is one of the machine": "UPDATE policy SET status = 'OTHER' WHERE policy_id = 1",
    "cover that runs is in force": "UPDATE policy SET status = 'BOUND' WHERE status = 'IN_FORCE'",
    "a term is over when its outcome is known":
        "UPDATE policy SET status = 'LAPSED' WHERE status = 'IN_FORCE'",
    "cancelled has a day inside the term":
        "UPDATE policy SET cancelled_on = end_date WHERE status = 'CANCELLED'",
    "renewed has a next term": "UPDATE policy SET term_no = term_no + 5 WHERE term_no = 2",
    "erased holds nothing personal": "UPDATE party SET phone = '1' WHERE status = 'ERASED'",
    "versions count from one without a gap":
        "UPDATE policy_version SET version_no = 9 WHERE version_no = 1",
    "only reinstatement follows cancellation":
        "INSERT INTO policy_version (policy_id, version_no, txn_type, effective_date, booked_at)"
        " SELECT policy_id, 99, 'ENDORSEMENT', effective_date, booked_at FROM policy_version"
        " JOIN policy USING (policy_id) WHERE status = 'CANCELLED' AND txn_type = 'CANCELLATION'"
        " ON CONFLICT DO NOTHING",
    "segments of a cover leave no gap":
        "UPDATE coverage SET effective_to = effective_from WHERE coverage_id = 1",
    "segments of a cover do not overlap":
        "UPDATE coverage SET effective_from = effective_from - 1 WHERE coverage_id IN"
        " (SELECT max(coverage_id) FROM coverage GROUP BY policy_id, coverage_code"
        " HAVING count(*) > 1)",
    "nothing is unearned after a cancellation":
        "DELETE FROM premium_transaction WHERE txn_type = 'CANCELLATION'",
    "what is billed is what is written, tax included":
        "UPDATE premium_transaction SET amount = amount + 0.01 WHERE premium_txn_id = 1",
    "an invoice is paid when its payments say so":
        "UPDATE invoice SET status = 'PAID' WHERE status = 'OPEN'",
    "nobody pays too much": "UPDATE payment SET amount = amount + 0.01",
    "a claim ends with no reserve":
        "DELETE FROM claim_transaction WHERE txn_type = 'RESERVE' AND amount < 0",
    "a case reserve is never negative":
        "UPDATE claim_transaction SET amount = -amount WHERE txn_type = 'RESERVE'",
    "a claim has a reserve from its first day": "DELETE FROM claim_transaction",
    "a claim runs from loss to report to end": "UPDATE claim SET loss_date = loss_date + 900",
}  # fmt: skip


@pytest.mark.parametrize("rule", MISCHIEF)
def test_a_broken_rule_is_reported_by_name(small_book: Database, rule: str) -> None:
    with small_book.undone():
        small_book.run("SET session_replication_role = replica")
        small_book.run(MISCHIEF[rule])
        assert rule in {name for name, _ in small_book.rows("SELECT * FROM check_business()")}


def test_a_week_has_every_kind_of_change_that_a_replica_must_apply(
    open_book: OpenBook,
) -> None:
    book = open_book(400, 1)
    book.run("SET synchronous_commit = on")  # decoding sees only what is flushed
    book.run("SELECT pg_create_logical_replication_slot('watch', 'test_decoding')")
    book.live(5)
    changes = [
        str(data)
        for (data,) in book.rows(
            "SELECT data FROM pg_logical_slot_get_changes('watch', NULL, NULL)"
            " WHERE data LIKE 'BEGIN%' OR data LIKE 'table public.%'"
        )
    ]
    book.run("SELECT pg_drop_replication_slot('watch')")
    kinds = {tuple(change.split(":")[:2]) for change in changes if change.startswith("table")}
    touched = {(table.removeprefix("table public."), kind.strip()) for table, kind in kinds}
    rekeyed = [change for change in changes if "old-key:" in change]
    assert {
        ("policy", "INSERT"), ("policy", "UPDATE"), ("coverage", "INSERT"),
        ("premium_transaction", "INSERT"), ("payment", "INSERT"), ("invoice", "UPDATE"),
        ("claim", "INSERT"), ("claim_transaction", "INSERT"), ("party", "UPDATE"),
        ("party_address", "DELETE"), ("claim_party", "DELETE"), ("risk_object", "INSERT"),
    } <= touched  # fmt: skip
    assert len(rekeyed) >= 10
    assert sum(change.startswith("BEGIN") for change in changes) >= 5 * 8
    assert not any("never seen" in change or "oops" in change for change in changes)
    assert not {(ledger, kind) for ledger in LEDGERS for kind in ("UPDATE", "DELETE")} & touched


def test_every_event_of_the_business_happens(open_book: OpenBook) -> None:
    book = open_book(800, 3)
    distinct_rows = {
        "versions": book.rows("SELECT DISTINCT txn_type FROM policy_version"),
        "premium": book.rows("SELECT DISTINCT txn_type FROM premium_transaction"),
        "policies": book.rows("SELECT DISTINCT status FROM policy"),
        "reasons": book.rows("SELECT DISTINCT cancel_reason FROM policy"),
        "refunds": book.rows("SELECT DISTINCT reason_code FROM policy_version"),
        "invoices": book.rows("SELECT DISTINCT status FROM invoice"),
        "payments": book.rows("SELECT DISTINCT status FROM payment"),
        "claims": book.rows("SELECT DISTINCT status FROM claim"),
        "investigations": book.rows("SELECT DISTINCT siu_status FROM claim"),
        "parties": book.rows("SELECT DISTINCT status FROM party"),
        "entries": book.rows("SELECT DISTINCT txn_type FROM claim_transaction"),
    }
    values = {name: {value for (value,) in rows} for name, rows in distinct_rows.items()}
    assert values["versions"] >= {
        "NEW", "RENEWAL", "ENDORSEMENT", "CANCELLATION", "REINSTATEMENT",
    }  # fmt: skip
    assert values["premium"] >= {"CANCELLATION", "PENALTY", "REINSTATEMENT", "REVERSAL"}
    assert values["policies"] >= {
        "QUOTED", "DECLINED", "NOT_TAKEN", "BOUND", "IN_FORCE", "CANCELLED", "RENEWED", "LAPSED",
        "EXPIRED",
    }  # fmt: skip
    assert values["reasons"] >= {"CUSTOMER", "NON_PAYMENT", "SURRENDER", "DEATH"}
    assert values["refunds"] >= {"FLAT", "PRO_RATA", "SHORT_RATE"}
    assert values["invoices"] >= {"OPEN", "PAID", "OVERDUE", "WRITTEN_OFF", "VOID"}
    assert values["payments"] >= {"SETTLED", "BOUNCED"}
    assert values["claims"] >= {"OPEN", "CLOSED", "REJECTED", "WITHDRAWN"}
    assert values["investigations"] >= {"NONE", "CONFIRMED", "CLEARED"}
    assert values["parties"] >= {
        "PROSPECT", "ACTIVE", "INACTIVE", "DECEASED", "MERGED", "ERASED",
    }  # fmt: skip
    assert values["entries"] == {"RESERVE", "PAYMENT", "RECOVERY", "RECOVERY_RESERVE"}
    assert book.value("SELECT count(*) FROM claim WHERE reopened_at IS NOT NULL")
    assert book.value("SELECT count(*) FROM claim WHERE catastrophe_code IS NOT NULL")
    assert book.value("SELECT count(*) FROM claim_transaction WHERE reverses_txn_id IS NOT NULL")
    shared = "SELECT 1 FROM claim_party GROUP BY {} HAVING count(DISTINCT claim_id) > 2"
    assert book.rows(shared.format("bank_account_token") + " AND count(DISTINCT party_id) > 2")
    assert book.rows(
        "SELECT 1 FROM party_address WHERE address_type = 'MAILING' GROUP BY line1, postal_code"
        " HAVING count(DISTINCT party_id) > 1"
    )


def test_no_invoice_is_forgotten(small_book: Database) -> None:
    """Every invoice is settled, dunned or written off in time; a refund is paid when it is due."""
    forgotten = small_book.rows(
        "SELECT invoice_id FROM invoice CROSS JOIN sim.book WHERE"
        " (status IN ('OPEN', 'PART_PAID') AND due_date < closed_day - 11)"
        " OR (status = 'OVERDUE' AND due_date < closed_day - 151)"
        " OR (status = 'OPEN' AND amount < 0 AND due_date < closed_day)"
    )
    assert forgotten == []


def test_a_column_appears_on_the_day_it_was_announced_for(insurer: Database) -> None:
    insurer.run("CALL open_book(30, 1, 4, '2026-06-30', column_added_on => '2026-07-02')")
    column = (
        "SELECT count(*) FROM information_schema.columns"
        " WHERE table_name = 'party' AND column_name = 'preferred_language'"
    )
    insurer.live(1)
    assert insurer.value(column) == 0
    insurer.live(1)
    assert insurer.value(column) == 1
    assert insurer.value("SELECT count(*) FROM party WHERE preferred_language IS NOT NULL")


def test_a_gap_of_days_is_lived_at_once_and_leaves_the_business_whole(
    open_book: OpenBook,
) -> None:
    book = open_book(100, 8, years=1)
    book.run("CALL live_day('2026-07-13')")
    assert book.value("SELECT closed_day FROM sim.book") == date(2026, 7, 13)
    assert book.rows("SELECT * FROM check_business()") == []


def test_a_day_cannot_be_lived_inside_a_transaction_of_the_caller(small_book: Database) -> None:
    with (
        pytest.raises(psycopg2.errors.InvalidTransactionTermination),
        small_book.undone(),
    ):
        small_book.run("CALL live_day('2026-08-01')")


IDENTITIES = {
    "earned in the books is written less the change of unearned": """
        SELECT month FROM report.premium_month(%(v)s) WHERE earned_premium_accounting <>
               written_premium - (unearned_premium_end - unearned_premium_start)""",
    # Every cell is rounded to the cent by itself.
    "earned and unearned are what was written": """
        SELECT 1 FROM report.premium_month(%(v)s)
        HAVING abs(sum(earned_premium) - sum(written_premium) + coalesce(sum(unearned_premium_end)
               FILTER (WHERE month = date_trunc('month', %(v)s::date)), 0)) > 0.01 * count(*)""",
    "a movement opens with the closing of the year before": """
        SELECT 1 FROM (SELECT *, lag(closing_in_force) OVER w AS before,
                              lag(closing_premium) OVER w AS premium_before
                         FROM report.inforce_movement(%(v)s)
                       WINDOW w AS (PARTITION BY policy_type ORDER BY calendar_year)) AS m
         WHERE opening_in_force <> before OR opening_premium <> premium_before""",
    "a movement balances": """
        SELECT 1 FROM report.inforce_movement(%(v)s) WHERE closing_in_force <> opening_in_force
               + new_business + reinstated - cancelled - lapsed - surrendered - claims""",
    "a year end closes with what is in force": """
        SELECT 1 FROM report.inforce_movement(%(v)s) m JOIN report.inforce_month_end(%(v)s) e
            ON e.policy_type = m.policy_type AND e.month_end = make_date(calendar_year, 12, 31)
         WHERE closing_in_force <> policies OR closing_premium <> in_force_premium""",
    "incurred is paid less recovered plus reserves": """
        SELECT 1 FROM report.claim_position(%(v)s)
         WHERE incurred <> paid - recovered + case_reserve + recovery_reserve
            OR incurred <> incurred_capped + excess""",
    "positions add up to the ledger": """
        SELECT 1 FROM report.claim_position(%(v)s) HAVING sum(paid) <>
               (SELECT sum(amount) FROM claim_transaction
                 WHERE txn_type = 'PAYMENT' AND accounting_date <= %(v)s)""",
    "accident years add up to the positions": """
        SELECT 1 FROM report.claim_kpi(%(v)s) WHERE segment = 'ALL' HAVING sum(incurred) <>
               (SELECT sum(incurred) FROM report.claim_position(%(v)s))""",
    "reserves move to their closing": """
        SELECT 1 FROM report.reserve_movement(%(v)s) WHERE closing_case_reserve <>
               opening_case_reserve + set_up + strengthening - release - eroded_by_payment""",
    "levels of every factor add up to the whole": """
        SELECT factor FROM report.oneway(%(v)s) GROUP BY factor
        HAVING (sum(claim_count), sum(incurred)) <>
               (SELECT claim_count, incurred FROM report.oneway(%(v)s) WHERE factor = '(all)')""",
}


@pytest.mark.parametrize("seed", [31, 32, 33])
def test_identities_hold_on_living_books_with_late_and_corrected_rows(
    open_book: OpenBook, seed: int
) -> None:
    book = open_book(80, seed, years=2)
    book.live(5)
    v = book.value("SELECT closed_day FROM sim.book")
    with book.connection.cursor() as cursor:
        for name, query in IDENTITIES.items():
            cursor.execute(query, {"v": v})
            assert cursor.fetchall() == [], f"seed {seed}: {name}"


def test_the_last_diagonal_of_every_triangle_is_the_total_of_the_claims(
    small_book: Database,
) -> None:
    v = small_book.value("SELECT closed_day FROM sim.book")
    diagonal = small_book.rows(
        "SELECT DISTINCT ON (segment, measure, origin_year) segment, measure, origin_year,"
        " cumulative FROM report.triangle(%s) WHERE measure IN ('paid', 'incurred')"
        " ORDER BY segment, measure, origin_year, dev_lag_months DESC",
        v,
    )
    totals = small_book.rows(
        "SELECT coalesce(segment, 'ALL'), measure, accident_year, sum(amount) FROM ("
        " SELECT segment, accident_year, 'paid' AS measure, paid AS amount"
        " FROM report.claim_position(%s) UNION ALL SELECT segment, accident_year, 'incurred',"
        " incurred FROM report.claim_position(%s)) AS t"
        " GROUP BY GROUPING SETS ((segment, measure, accident_year), (measure, accident_year))",
        *(v, v),
    )
    cells = {row[:3]: row[3] for row in diagonal}
    assert all(cells[row[:3]] == row[3] for row in totals)
    assert sum(1 for value in cells.values() if value) == sum(1 for row in totals if row[3])
