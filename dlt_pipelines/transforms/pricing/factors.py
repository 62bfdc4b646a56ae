"""The rating factors, as they were known when a coverage segment started."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dlt_pipelines.transforms.bands import whole_years, with_bands
from dlt_pipelines.transforms.versions import UNKNOWN, as_known, current

CODES = ("area_code", "region_code", "channel", "usage_code", "object_class", "power_class", "make",
         "fuel_type", "deductible", "payment_plan", "coverage")  # fmt: skip
BANDS = {
    "driver_age_band": whole_years("driver_birth_date", "start_date"),
    "vehicle_age_band": "year(start_date) - model_year",
    "ncd_band": "ncd_level",
    "density_band": "density_per_km2",
    "tenure_band": "term_no",
}
FACTORS = (*CODES, *BANDS)
LEVELS = ("(all)", "calendar_year", "policy_type", *FACTORS)

_OF_OBJECT = (
    "area_code", "region_code", "usage_code", "object_class", "power_class", "make", "fuel_type",
    "model_year", "ncd_level", "density_per_km2", "driver_birth_date",
)  # fmt: skip


def rating_factors(
    rows: DataFrame,
    coverages: DataFrame,
    risk_objects: DataFrame,
    policies: DataFrame,
    agents: DataFrame,
    bands: DataFrame,
) -> DataFrame:
    """Adds policy_number, policy_type and every factor to rows of `coverage_id` and `policy_id`.

    The object is taken as it was known when the segment started, so that no later bonus level or
    correction is in it; objects that were recorded later count as first recorded. Ages are
    attained at the start of the term. What is not known is UNKNOWN. Source: insurance model (b) 8.

    Args:
        rows: any rows; both keys may be null.
        coverages: versions of silver_coverage.
        risk_objects: versions of silver_risk_object.
        policies: versions of silver_policy.
        agents: versions of silver_agent.
        bands: the table ref_band.
    """
    described = (
        rows.join(_covers(coverages, risk_objects), "coverage_id", "left")
        .join(_terms(policies, agents), "policy_id", "left")
        .fillna(UNKNOWN, [*CODES, "policy_type"])
    )
    return with_bands(described, bands, BANDS).drop(*_UNNAMED)


_UNNAMED = ("model_year", "ncd_level", "density_per_km2", "driver_birth_date", "start_date",
            "term_no")  # fmt: skip


def _covers(coverages: DataFrame, risk_objects: DataFrame) -> DataFrame:
    deductible = "regexp_replace(CAST(deductible_amount AS STRING), '[.]00$', '')"
    covers = current(coverages).selectExpr(
        "coverage_id", "risk_object_id AS _object", "effective_from",
        f"{deductible} AS deductible", "coverage_code AS coverage",
    )  # fmt: skip
    objects = as_known(risk_objects, "risk_object_id").select(
        "risk_object_id", "known_from", "known_to", *_OF_OBJECT
    )
    as_known_at_start = (
        (F.col("_object") == F.col("risk_object_id"))
        & (F.col("known_from") <= F.col("effective_from"))
        & (F.col("effective_from") < F.col("known_to"))
    )
    return covers.join(objects, as_known_at_start, "left").select(
        "coverage_id", "deductible", "coverage", *_OF_OBJECT
    )


def _terms(policies: DataFrame, agents: DataFrame) -> DataFrame:
    channels = F.broadcast(current(agents).select("agent_id", "channel"))
    terms = current(policies).join(channels, "agent_id", "left")
    return terms.select(
        "policy_id", "policy_number", "policy_type", "payment_plan", "channel", "start_date",
        "term_no",
    )  # fmt: skip


def level_sums(rows: DataFrame) -> DataFrame:
    """Sums of gold_glm_exposure by `factor` and `level`, for each policy type and coverage.

    Every row counts once in each factor, so the levels of a factor add up to `(all)`. The
    valuation date stays beside them. It is the one pass over the rows for all tables by factor.
    """
    pairs = [
        F.struct(
            F.lit(name).alias("factor"),
            (F.lit(name) if name == "(all)" else F.col(name).cast("string")).alias("level"),
        )
        for name in LEVELS
    ]
    return (
        rows.select("valuation_date", *_COVER, *SUMS, F.inline(F.array(*pairs)))
        .groupBy("valuation_date", "factor", "level", *_COVER)
        .agg(*(F.sum(name).alias(name) for name in SUMS))
    )


_COVER = ("policy_type", "coverage")
SUMS = ("exposure", "claim_count", "paid_claim_count", "incurred", "incurred_capped",
        "incurred_paid_claims", "earned_premium")  # fmt: skip
