"""`explain` lists every change of a key and what it did."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from local_shim.cdc.explain.explain import explain, rendered_ties, ties
from local_shim.declaring.cdc_arguments import auto_cdc_flow
from local_shim.errors import UsageError
from local_shim.graph.elements import AutoCdcFlow
from tests.local_shim.cdc.shapes import HERE, SPACE

CHANGES = [
    (1, "a", "U", 10),
    (1, "b", "U", 30),
    (1, "late", "U", 20),
    (1, "b", "U", 30),
    (1, "c", "U", 30),
    (1, None, "D", 40),
    (2, "x", "U", 10),
]
EXPLANATION = """\
id=1: 6 changes in the order of their sequence

sequence  change  row                    effect
--------  ------  ---------------------  ----------------------------------------
10        upsert  {"id": 1, "v": "a"}    inserted
20        upsert  {"id": 1, "v": "late"}  closed the version before, opened one, late
30        upsert  {"id": 1, "v": "c"}    closed the version before, opened one
30        upsert  {"id": 1, "v": "b"}    tie lost
30        upsert  {"id": 1, "v": "b"}    tie lost
40        delete                         closed the open version

rows left:
  {"id": 1, "v": "a"}  from 10 to 20
  {"id": 1, "v": "late"}  from 20 to 30
  {"id": 1, "v": "c"}  from 30 to 40"""


def flow(**arguments: Any) -> AutoCdcFlow:
    return auto_cdc_flow(
        target="t",
        source="s",
        keys=["id"],
        sequence_by="seq",
        apply_as_deletes="op = 'D'",
        column_list=["id", "v"],
        where=HERE,
        namespace=SPACE,
        **arguments,
    )


def test_explain_names_each_change_and_the_rows_it_left(spark: SparkSession) -> None:
    changes = spark.createDataFrame(CHANGES, "id int, v string, op string, seq int").coalesce(1)
    explanation = explain(changes, flow(stored_as_scd_type=2), {"ID": 1})
    plain = [" ".join(line.split()) for line in str(explanation).replace("ID=", "id=").splitlines()]
    expected = [" ".join(line.split()) for line in EXPLANATION.splitlines()]
    dashes = [i for i, line in enumerate(expected) if line.startswith("---")]
    assert [p for i, p in enumerate(plain) if i not in dashes] == [
        e for i, e in enumerate(expected) if i not in dashes
    ]
    current = explain(changes, flow(), {"id": 1})
    effects = [event.description for event in current.events]
    assert effects == [
        "inserted",
        "ignored as late: a newer change had come before",
        "updated",
        "tie lost",
        "tie lost",
        "deleted",
    ]
    assert current.rows == ()
    assert "no change of this key" in str(explain(changes, flow(), {"id": 9}))
    with pytest.raises(UsageError, match="EXPLAIN_KEY"):
        explain(changes, flow(), {"idd": 1})


@pytest.mark.dlt(62)
def test_a_late_delete_leaves_a_remainder_where_the_target_shows_them(spark: SparkSession) -> None:
    late = [(1, "a", "U", 10), (1, None, "D", 20), (1, None, "D", 15)]
    changes = spark.createDataFrame(late, "id int, v string, op string, seq int").coalesce(1)
    for scd_type, remainders, effect, rows in (
        (2, True, "left a remainder: the last row, without a start", ["from 10 to 15", "until 20"]),
        (2, False, "remembered: a delete of an absent key", ["from 10 to 15"]),
        (1, True, "remembered: a delete of an absent key", []),
    ):
        declared = flow(stored_as_scd_type=scd_type)
        explanation = explain(changes, declared, {"id": 1}, remainders=remainders)
        assert explanation.events[-1].description == effect
        remaining = str(explanation).partition("rows left:")[2].splitlines()[1:]
        assert [line.split("  ")[-1] for line in remaining] == rows


@pytest.mark.dlt(32)
def test_ties_are_counted_over_the_whole_source(spark: SparkSession) -> None:
    changes = spark.createDataFrame(CHANGES, "id int, v string, op string, seq int")
    all_ties = ties(changes, flow())
    assert [(tie.key, tie.sequence, tie.changes) for tie in all_ties] == [('{"id":1}', "30", 2)]
    assert rendered_ties(all_ties).startswith("1 tie\n")
    assert "no ties" in rendered_ties([])
