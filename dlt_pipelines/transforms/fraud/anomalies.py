"""Days that stand out from the same weekday of the weeks before."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dlt_pipelines.assumptions import AnomalyLimits
from dlt_pipelines.transforms.fraud.peers import MAD_FACTOR
from dlt_pipelines.transforms.versions import ALL, UNKNOWN, current


def claim_events(positions: DataFrame, ledger: DataFrame) -> DataFrame:
    """Claims by the day of report, and what was paid by accounting date."""
    reported = positions.select(
        F.col("reported_on").alias("day"), "segment", *_counted("new_claims")
    )
    paid = (
        ledger.where("txn_type = 'PAYMENT'")
        .join(positions.select("claim_id", "segment"), "claim_id")
        .select(
            F.col("accounting_date").alias("day"),
            "segment",
            F.lit("paid").alias("metric"),
            F.col("amount").cast("double").alias("amount"),
            F.lit(1).alias("events"),
        )
    )
    return reported.unionByName(paid)


def policy_events(policies: DataFrame, bookings: DataFrame) -> DataFrame:
    """Quotes by the day they were made, and cancellations by the day they were booked."""
    terms = current(policies)
    segment = F.coalesce("policy_type", F.lit(UNKNOWN)).alias("segment")
    quotes = terms.select(F.to_date("quoted_at").alias("day"), segment, *_counted("quotes"))
    cancelled = bookings.where("txn_type = 'CANCELLATION'").join(
        terms.select("policy_id", "policy_type"), "policy_id", "left"
    )
    booked_on = F.to_date("booked_at").alias("day")
    return quotes.unionByName(cancelled.select(booked_on, segment, *_counted("cancellations")))


def row_events(delivered: DataFrame) -> DataFrame:
    """Rows delivered of each source table, by the day the source wrote them; segment ALL."""
    return delivered.where("day IS NOT NULL").select(
        "day",
        F.lit(ALL).alias("segment"),
        F.concat(F.lit("rows_"), "table_name").alias("metric"),
        F.col("rows").cast("double").alias("amount"),
        F.col("rows").alias("events"),
    )


def _counted(metric: str) -> list[Column]:
    return [F.lit(metric).alias("metric"), F.lit(1.0).alias("amount"), F.lit(1).alias("events")]


def anomalies(
    events: DataFrame, totals: DataFrame, latest: DataFrame, limits: AnomalyLimits
) -> DataFrame:
    """One row per day, segment (and ALL) and metric, over the last days to the valuation.

    The baseline is the median of the same weekday in the weeks before, z = 0.6745 * (value -
    baseline) / MAD, flagged beyond `limits.z`. Where a day usually has few events, or MAD is 0,
    their number is tested instead, also for an amount: it is flagged if the Poisson distribution
    gives it, or more (or less), a probability below `limits.tail`. Its mean is that of the weeks
    before. Too few earlier days flag nothing. `method` names the test: robust_z, poisson or none.
    Source: insurance model (b) 9.

    [choice] The mean of the Poisson test is at least one event in all the weeks before.

    Args:
        events: `day`, `segment`, `metric`, `amount` and `events`, how many are in the row.
        totals: the same, of metrics that have no segments.
        latest: one row, the latest `valuation_date`.
        limits: what is compared and flagged. A metric starts on the day of its first event.
    """
    compared = _compared(_by_day(events, totals), latest, limits)
    return compared.where(F.col("day") > F.date_sub("valuation_date", limits.days)).select(
        "day", "segment", "metric", "value", "baseline", "z",
        F.col("points").cast("bigint").alias("points"),
        F.coalesce(_is_flagged(limits), F.lit(False)).alias("flagged"),
        "method",
    )  # fmt: skip


def _by_day(events: DataFrame, totals: DataFrame) -> DataFrame:
    """The sums of a day, by segment and for ALL."""
    return (
        events.withColumn("segment", F.explode(F.array("segment", F.lit(ALL))))
        .unionByName(totals)
        .groupBy("segment", "metric", "day")
        .agg(F.round(F.sum("amount"), 2).alias("value"), F.sum("events").alias("events"))
    )


def _compared(daily: DataFrame, latest: DataFrame, limits: AnomalyLimits) -> DataFrame:
    """Each day with the baseline of its weekday, its z, and how it is to be tested."""
    same_weekday = (
        Window.partitionBy("segment", "metric", F.dayofweek("day"))
        .orderBy("day")
        .rowsBetween(-limits.weeks, -1)
    )
    return (
        _every_day(daily, latest, limits.days + 7 * limits.weeks)
        .withColumn("before", F.collect_list("value").over(same_weekday))
        .withColumn("events_before", F.collect_list("events").over(same_weekday))
        .withColumn("points", F.size("before"))
        .withColumn("baseline", F.expr(_median("before")))
        .withColumn("mad", F.expr(_median("transform(before, x -> abs(x - baseline))")))
        .withColumn("z", F.lit(MAD_FACTOR) * F.expr("(value - baseline) / nullif(mad, 0)"))
        .withColumn("method", _method(limits))
        .withColumn("rate", F.expr(_RATE))
    )


_RATE = "greatest(aggregate(events_before, 0L, (sum, x) -> sum + x), 1) / nullif(points, 0)"


def _every_day(daily: DataFrame, latest: DataFrame, days: int) -> DataFrame:
    """Zeros for days without an event: silence can be an anomaly, too."""
    spans = daily.groupBy("segment", "metric").agg(F.min("day").alias("first"))
    start = F.greatest("first", F.date_sub("valuation_date", days - 1))
    dated = spans.crossJoin(F.broadcast(latest)).where("first <= valuation_date")
    return (
        dated.select(
            "segment",
            "metric",
            "valuation_date",
            F.explode(F.sequence(start, "valuation_date")).alias("day"),
        )
        .join(daily, ["segment", "metric", "day"], "left")
        .fillna(0, ["value", "events"])
    )


def _median(numbers: str) -> str:
    """SQL: the median of an array; null if it is empty."""
    ordered = f"array_sort({numbers})"
    count = f"size({numbers})"
    return (
        f"(try_element_at({ordered}, CAST(greatest(({count} + 1) DIV 2, 1) AS INT))"
        f" + try_element_at({ordered}, CAST({count} DIV 2 + 1 AS INT))) / 2"
    )


def _method(limits: AnomalyLimits) -> Column:
    is_small = F.expr(_median("events_before")) < limits.small_count
    return (
        F.when(F.col("points") < limits.fewest_points, "none")
        .when(is_small | (F.col("mad") == 0), "poisson")
        .otherwise("robust_z")
    )


def _is_flagged(limits: AnomalyLimits) -> Column:
    """Beyond the limit of its method; of the Poisson distribution, either tail."""
    below = _poisson_below("events")
    up_to = _poisson_below("events + 1")
    unlikely = F.least(F.expr(f"1 - {below}"), F.expr(up_to)) < float(limits.tail)
    return F.when(F.col("method") == "robust_z", F.abs("z") > float(limits.z)).when(
        F.col("method") == "poisson", unlikely
    )


def _poisson_below(count: str) -> str:
    """SQL: the probability of fewer than `count` events at the mean `rate`."""
    last = f"CAST({count} AS INT) - 1"
    terms = f"if({last} < 1, array(), sequence(1, greatest({last}, 1)))"
    start = "named_struct('term', exp(-rate), 'total', exp(-rate))"
    step = "(s, k) -> named_struct('term', s.term * rate / k, 'total', s.total + s.term * rate / k)"
    return f"if({last} < 0, 0D, aggregate({terms}, {start}, {step}, s -> s.total))"
