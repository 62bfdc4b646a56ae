"""The words that all storage types share: what happens to a target row, and which events count.

An outcome frame says what a batch does. Each fold adds its own columns to these: `key`, `op` (put,
drop, or NULL for nothing), `row` (the user's columns to put), `touches` (a target row may have to
go), `contested` (the target's row decides, see `scd1.decide_contested`), `ties`, `for_state`
(the event must be kept in the state), `kind`, and the counts of `change_rows.COUNTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

PUT, DROP = "put", "drop"
Gather = Callable[[DataFrame], DataFrame]  # brings the rows of one key into one task


@dataclass(frozen=True)
class Bounds:
    """Sequences up to which events are void: below a truncate, at or below a snapshot (`floor`)."""

    truncated: Column | None = None
    truncated_before: Column | None = None  # the newest truncate before this batch
    floor: Column | None = None

    @property
    def moved(self) -> bool:
        """Whether this batch brings a truncate, which may remove rows of any key."""
        return self.truncated is not None and self.truncated is not self.truncated_before

    def alive(self, seq: Column) -> Column:
        """Whether an event of this sequence counts."""
        return _not_below(seq, self.truncated) & _above(seq, self.floor)

    def survives(self, seq: Column) -> Column:
        """Whether a row that was applied at this sequence survives all truncates."""
        return _not_below(seq, self.truncated)

    def survived(self, seq: Column) -> Column:
        """Whether a row that was applied at this sequence was there before this batch."""
        return _not_below(seq, self.truncated_before)


def _not_below(seq: Column, bound: Column | None) -> Column:
    return F.lit(True) if bound is None else seq >= bound


def _above(seq: Column, bound: Column | None) -> Column:
    return F.lit(True) if bound is None else seq > bound
