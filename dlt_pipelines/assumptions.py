"""What figures rest on besides the data; read from the configuration by settings.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pyspark.sql import Column
from pyspark.sql import functions as F


@dataclass(frozen=True)
class BySegment:
    """A number for every segment: its own where one is configured, else the general one."""

    general: Decimal | None
    by_name: Mapping[str, Decimal]

    def of(self, segment: Column) -> Column:
        """The number that holds for a segment column; null where none is set."""
        value = F.lit(self.general)
        for name, amount in self.by_name.items():
            value = F.when(segment == name, F.lit(amount)).otherwise(value)
        return value

    def text_of(self, segment: Column) -> Column:
        """The same number as plain text (100000, never 1E+5); null where none is set."""
        value = F.lit(_plain(self.general))
        for name, amount in self.by_name.items():
            value = F.when(segment == name, F.lit(_plain(amount))).otherwise(value)
        return value


@dataclass(frozen=True)
class ValueAssumptions:
    """What the lifetime value of a customer rests on; ratios are shares of premium."""

    expected_loss_ratio: BySegment
    commission_ratio: Decimal
    expense_ratio: Decimal
    discount_rate: Decimal
    years: Decimal


@dataclass(frozen=True)
class AnomalyLimits:
    """When a day stands out from the same weekday of the weeks before."""

    days: int  # how far back days are judged
    weeks: int  # how many earlier weeks make a baseline
    fewest_points: int  # fewer earlier days say nothing
    z: Decimal  # robust z beyond which a day is flagged
    tail: Decimal  # probability of the Poisson distribution below which it is flagged
    small_count: int  # below this baseline a count follows the Poisson distribution


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount.normalize(), "f")
