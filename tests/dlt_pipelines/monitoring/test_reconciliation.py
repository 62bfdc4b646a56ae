"""What the source counted, against silver and gold: each difference has its explanation."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from dlt_pipelines import dms
from dlt_pipelines.source_tables import CONTROL_TABLE
from dlt_pipelines.transforms.monitoring.reconciliation import reconciliation, source_counts
from tests.dlt_pipelines.local_frame import local_frame

DAY = date(2026, 7, 1)
COUNTED = "2026-07-02 01:00:00.000000"
COUNT = {"table_name": "payment", "day": "2026-07-01", "row_count": "2", "amount": "30.00",
         "counted_at": "2026-07-02 01:00:00"}  # fmt: skip


@pytest.fixture
def control(spark: SparkSession) -> Any:
    """Rows of the files of the control table, from dicts of text."""

    def frame(*rows: dict[str, str]) -> DataFrame:
        names = [*dms.file_columns(CONTROL_TABLE), dms.RESCUED]
        usual = {dms.OP: "I", dms.COMMIT_TIME: COUNTED}
        values = [tuple((usual | row).get(name) for name in names) for row in rows]
        return local_frame(spark, values, ", ".join(f"`{name}` STRING" for name in names))

    return frame


@pytest.fixture
def reconciled(spark: SparkSession, control: Any) -> Any:
    """The row of a day: one count of 2 rows and 30.00, unless `counts` says otherwise."""

    def row(
        silver: tuple[int, str], counts: tuple[dict[str, str], ...] = (COUNT,), refused: int = 0,
        booked: tuple[str, ...] = (), newest: str = "2026-07-02T00:59",
    ) -> Row:  # fmt: skip
        rows, amount = silver
        (result,) = reconciliation(
            source_counts(control(*counts)),
            local_frame(
                spark,
                [("payment", DAY, [], rows, Decimal(amount))],
                "table_name STRING, day DATE, broken ARRAY<STRING>, rows BIGINT,"
                " amount DECIMAL(28,2)",
            ),
            local_frame(
                spark,
                [("payment", DAY, "a", refused)] * bool(refused),
                "table_name STRING, day DATE, rule STRING, rows BIGINT",
            ),
            local_frame(
                spark,
                [("payment", DAY, Decimal(each)) for each in booked],
                "table_name STRING, day DATE, amount DECIMAL(14,2)",
            ),
            local_frame(
                spark,
                [("payment", datetime.fromisoformat(newest))],
                "table_name STRING, newest_commit TIMESTAMP",
            ),
        ).collect()
        return result

    return row


def test_the_last_count_of_a_day_holds(control: Any) -> None:
    later = {dms.OP: "U", dms.COMMIT_TIME: "2026-07-03 01:00:00.000000", "row_count": "1"}
    other = COUNT | {"day": "2026-06-30"}
    counts = source_counts(control(COUNT | later, COUNT, other, other | later | {dms.OP: "D"}))
    assert [(row.day, row.source_rows) for row in counts.collect()] == [(DAY, 1)]


def test_rows_and_money_that_agree_and_what_gold_adds_up_of_them(reconciled: Any) -> None:
    row = reconciled((2, "30.00"), booked=("20.00",))
    assert row.explanation == "agrees"
    assert (row.source_rows, row.silver_rows, row.gold_rows, row.excluded_rows) == (2, 2, 1, 1)
    assert (row.missing_rows, row.missing_amount, str(row.gold_amount)) == (0, 0, "20.00")
    assert reconciled((2, "30.00")).gold_rows is None


@pytest.mark.parametrize(
    ("silver", "more", "explanation"),
    [
        ((1, "10.00"), {}, "not delivered"),
        ((2, "29.99"), {}, "not delivered"),
        ((1, "10.00"), {"refused": 1}, "refused"),
        ((3, "40.00"), {"newest": "2026-07-02T02:00"}, "changed since the count"),
        ((2, "30.00"), {"newest": "2026-07-02T02:00", "refused": 1}, "agrees"),
        ((2, "30.00"), {"counts": ()}, "not counted"),
    ],
)
def test_a_difference_has_an_explanation(
    reconciled: Any, silver: tuple[int, str], more: dict[str, Any], explanation: str
) -> None:
    row = reconciled(silver, **more)
    assert row.explanation == explanation
    if explanation == "not counted":
        assert (row.source_rows, row.missing_rows, row.missing_amount) == (None, None, None)
