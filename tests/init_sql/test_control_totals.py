"""The source counts itself: every table, every day, rows and money."""

from __future__ import annotations

from datetime import date

from tests.init_sql.insurer import Database
from tests.init_sql.test_source_schema import TABLES

COUNTED = "SELECT table_name, sum(row_count), sum(amount) FROM control.source_total GROUP BY 1"
WITHOUT_MONEY = TABLES - {
    "policy_version", "coverage", "premium_transaction", "invoice", "payment", "claim_transaction",
}  # fmt: skip


def test_every_row_and_amount_is_counted_when_a_day_is_closed(small_book: Database) -> None:
    counted = {name: (rows, amount) for name, rows, amount in small_book.rows(COUNTED)}
    assert set(counted) == TABLES
    for name, (rows, amount) in counted.items():
        assert rows == small_book.value(f"SELECT count(*) FROM {name}"), name
        assert (amount is None) == (name in WITHOUT_MONEY)
    for name in ("premium_transaction", "claim_transaction", "payment"):
        assert counted[name][1] == small_book.value(f"SELECT sum(amount) FROM {name}")


def test_a_day_whose_rows_were_written_again_counts_nothing(insurer: Database) -> None:
    insurer.run(
        "INSERT INTO party(name, type, updated_at) VALUES ('Ada', 'individual', '2026-07-01')"
    )
    insurer.run("CALL control.count_rows()")
    insurer.run("UPDATE party SET updated_at = '2026-07-02 23:30+00'")
    insurer.run("CALL control.count_rows()")
    counts = insurer.rows(
        "SELECT day, row_count FROM control.source_total WHERE table_name = 'party' ORDER BY day"
    )
    assert counts == [(date(2026, 7, 1), 0), (date(2026, 7, 2), 1)]


def test_only_days_that_changed_are_written(small_book: Database) -> None:
    with small_book.undone():
        small_book.run("CALL control.count_rows()")
        changed = "SELECT count(*) FROM control.source_total WHERE counted_at = now()"
        assert small_book.value(changed) == 0
