"""Expectations in one pass over the rows: counted, filtered, and fatal where declared so.

The counts are observed metrics of the query that writes, so counting costs no second pass.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from local_shim.errors import ExpectationViolation
from local_shim.graph.elements import Action, Expectation
from local_shim.sql_text import quote

_MARK = "DLT_LOCAL_EXPECTATION_VIOLATION"
_VERDICT = "__dlt_verdict"


@dataclass(frozen=True)
class Quality:
    """Counts of one write: rows looked at, rows left out, and failures of each rule."""

    rows: int = 0
    dropped: int = 0
    failed: tuple[int, ...] = ()

    def __add__(self, other: Quality) -> Quality:
        longer = self.failed or (0,) * len(other.failed)
        failed = tuple(
            a + b for a, b in zip(longer, other.failed or (0,) * len(longer), strict=True)
        )
        return Quality(self.rows + other.rows, self.dropped + other.dropped, failed)


@dataclass(frozen=True)
class Rules:
    """The expectations of one dataset as seen by one flow.

    `applies` limits them to some rows: an AUTO CDC flow checks its upserts, never its deletes.
    """

    dataset: str
    flow: str
    expectations: tuple[Expectation, ...]
    applies: Column | None = None

    @property
    def observed_name(self) -> str:
        """The name of these counts among the metrics of a query."""
        return f"quality of {self.dataset}"

    @property
    def counted(self) -> tuple[Expectation, ...]:
        """Those with metrics: a fail rule has none, its only result is the failure."""
        return tuple(rule for rule in self.expectations if rule.action is not Action.FAIL)

    @property
    def can_fail(self) -> bool:
        """Whether a row may stop the flow."""
        return bool(self._fatal)

    @property
    def _fatal(self) -> list[Expectation]:
        return [rule for rule in self.expectations if rule.action is Action.FAIL]

    def observed(self, frame: DataFrame) -> tuple[DataFrame, Observation | None]:
        """The rows of a batch query that go on, and what will hold their counts."""
        observation = Observation(f"{self.observed_name} {uuid.uuid4().hex[:8]}")
        return self.applied(frame, observation), observation if self.counted else None

    def observed_quality(self, observation: Observation | None) -> tuple[dict[str, Any], ...]:
        """The counts of a batch query that has run, in the words of the event log."""
        return (self.data_quality(self.quality(observation.get)),) if observation else ()

    def applied(self, frame: DataFrame, observed: Observation | str) -> DataFrame:
        """The rows that go on, their counts observed under a name or in an Observation.

        A row that breaks a fail rule raises while the query runs. Each rule is evaluated once:
        its verdict is a column that the counts and the filter share. Spark moves no filter below
        an `observe`; without one it would raise for rows that a join of the query leaves out.
        """
        if not self.expectations:
            return frame
        verdicts = [holds(rule).alias(f"rule_{i}") for i, rule in enumerate(self.expectations)]
        applies = F.lit(True) if self.applies is None else self.applies
        judged = frame.withColumn(_VERDICT, F.struct(applies.alias("applies"), *verdicts))
        observing = judged.observe(observed, *self._counts())
        return observing.filter(self._goes_on(frame.columns)).drop(_VERDICT)

    def _counts(self) -> tuple[Column, ...]:
        return (
            F.count_if(_verdict("applies")).alias("rows"),
            F.count_if(~self._passes_drop_rules()).alias("dropped"),
            *(
                F.count_if(_verdict("applies") & ~self._holds(rule)).alias(f"failed_{index}")
                for index, rule in enumerate(self.counted)
            ),
        )

    def _goes_on(self, columns: Sequence[str]) -> Column:
        if not self._fatal:
            return self._passes_drop_rules()
        broken = _verdict("applies") & ~_all([self._holds(rule) for rule in self._fatal])
        return F.when(broken, self._raise(self._fatal, columns)).otherwise(
            self._passes_drop_rules()
        )

    def _holds(self, rule: Expectation) -> Column:
        names = [each.name for each in self.expectations]
        return _verdict(f"rule_{names.index(rule.name)}")

    def quality(self, row: Mapping[str, Any] | None) -> Quality:
        """The counts that one run of the query observed."""
        if row is None:
            return Quality(failed=(0,) * len(self.counted))
        failed = tuple(int(row[f"failed_{index}"] or 0) for index in range(len(self.counted)))
        return Quality(int(row["rows"] or 0), int(row["dropped"] or 0), failed)

    def data_quality(self, quality: Quality) -> dict[str, Any]:
        """The counts in the words of the event log."""
        return {
            "dropped_records": quality.dropped,
            "expectations": [
                {
                    "name": rule.name,
                    "dataset": self.dataset,
                    "passed_records": quality.rows - failed,
                    "failed_records": failed,
                }
                for rule, failed in zip(self.counted, quality.failed, strict=True)
            ],
        }

    def _passes_drop_rules(self) -> Column:
        drops = [rule for rule in self.expectations if rule.action is Action.DROP]
        return _all([self._holds(rule) for rule in drops]) | ~_verdict("applies")

    def _raise(self, fatal: Sequence[Expectation], names: Sequence[str]) -> Column:
        broken = [F.when(~self._holds(rule), F.lit(rule.name)) for rule in fatal]
        columns = [F.col(quote(name)) for name in names]
        record = F.to_json(F.struct(*columns), {"ignoreNullFields": "false"})
        violated = F.concat_ws("\u0002", *broken)
        message = F.concat_ws("\u0001", F.lit(_MARK), F.lit(self.flow), violated, record, F.lit(""))
        return F.raise_error(message).cast("boolean")


def _verdict(field: str) -> Column:
    return F.col(_VERDICT)[field]


def holds(rule: Expectation) -> Column:
    """True where the rule is true; a NULL result is a violation (behaviour 81)."""
    constraint = rule.constraint
    column = F.expr(constraint) if isinstance(constraint, str) else constraint
    return F.coalesce(column.cast("boolean"), F.lit(False))


def _all(conditions: Sequence[Column]) -> Column:
    result = F.lit(True)
    for condition in conditions:
        result = result & condition
    return result


def violation(error: BaseException, where: object = None) -> ExpectationViolation | None:
    """The typed error behind a failed query, if an `expect_or_fail` rule stopped it."""
    text = str(error)
    start = text.find(f"{_MARK}\u0001")  # the text of a plan may contain the mark alone
    if start < 0:
        return None
    _, flow, violated, record, *_ = text[start:].split("\u0001")
    record = record if _is_json(record) else ""
    return ExpectationViolation(
        flow, violated.split("\u0002"), record or None, record or None, where
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
