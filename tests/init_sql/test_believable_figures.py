"""What an actuary would check before believing the data. The ranges stand in init_sql/README.md."""

from __future__ import annotations

from collections import defaultdict
from math import exp, log, sqrt

import pytest

from tests.init_sql.insurer import AS_OF, Database, OpenBook

FACTORS = ("coverage_code", "driver_age_band", "ncd_band", "area_code", "usage_code", "power_class")

# Exposure and claims of motor segments by their factors at the start of the term, from the
# sixteen tables alone; `sim.relativity` only lends the edges of its bands.
MOTOR_CELLS = """
SELECT s.coverage_code, age.level, ncd.level, r.area_code, r.usage_code, r.power_class,
       sum(e.exposure), sum(e.claims)
  FROM (SELECT coverage_id, sum(exposure) AS exposure, max(claims) AS claims
          FROM report.exposure_segment(%(v)s)
          LEFT JOIN (SELECT coverage_id, count(*) AS claims FROM claim
                      WHERE catastrophe_code IS NULL GROUP BY 1) AS c USING (coverage_id)
         WHERE policy_type = 'MOTOR' GROUP BY 1) AS e
  JOIN report.segment s USING (coverage_id)
  JOIN risk_object r USING (risk_object_id)
  JOIN sim.relativity age ON (age.policy_type, age.factor) = ('MOTOR', 'driver_age_band')
   AND extract(year FROM age(s.start_date::timestamp, r.driver_birth_date::timestamp))
       BETWEEN age.lo AND age.hi - 1
  JOIN sim.relativity ncd ON (ncd.policy_type, ncd.factor) = ('MOTOR', 'ncd_band')
   AND r.ncd_level BETWEEN ncd.lo AND ncd.hi - 1
 GROUP BY 1, 2, 3, 4, 5, 6"""

Level = tuple[str, str]
Cell = tuple[list[Level], float, float]


@pytest.fixture(scope="module")
def book(open_book: OpenBook) -> Database:
    """Three years of three thousand parties; read only."""
    return open_book(3000, 17)


def number(db: Database, sql: str, *values: object) -> float:
    return float(str(db.value(sql, *values)))


def marginal_totals(cells: list[Cell], rounds: int = 30) -> dict[Level, float]:
    """The multiplicative Poisson model: each level's fitted claims equal its observed ones."""
    effect: dict[Level, float] = defaultdict(lambda: 1.0)
    for _ in range(rounds):
        for factor in FACTORS:
            observed: dict[Level, float] = defaultdict(float)
            fitted: dict[Level, float] = defaultdict(float)
            for levels, exposure, claims in cells:
                expected = exposure
                for level in levels:
                    expected *= effect[level]
                level = levels[FACTORS.index(factor)]
                observed[level] += claims
                fitted[level] += expected
            for level, claims in observed.items():
                effect[level] *= max(claims, 0.5) / fitted[level]
    return effect


def test_a_fitted_model_finds_the_relativities_that_were_put_in(book: Database) -> None:
    with book.connection.cursor() as cursor:
        cursor.execute(MOTOR_CELLS, {"v": AS_OF})
        cells = [
            (list(zip(FACTORS, row[:6], strict=True)), float(row[6]), float(row[7] or 0))
            for row in cursor.fetchall()
        ]
    claims: dict[Level, float] = defaultdict(float)
    for levels, _, count in cells:
        for level in levels:
            claims[level] += count
    effect = marginal_totals(cells)
    truth = {
        (str(factor), str(level)): float(str(frequency))
        for factor, level, frequency in book.rows(
            "SELECT factor, level, frequency FROM sim.relativity WHERE policy_type = 'MOTOR'"
        )
    }
    scores = []
    for factor in FACTORS[1:]:
        base = max((level for level in truth if level[0] == factor), key=lambda at: claims[at])
        for level in (at for at in truth if at[0] == factor and at != base):
            error = log(effect[level] / effect[base]) - log(truth[level] / truth[base])
            scores.append(error / sqrt(1 / max(claims[level], 0.5) + 1 / claims[base]))
    young, steady = (effect[("driver_age_band", band)] for band in ("21-25", "41-50"))
    assert len(scores) == len(truth) - len(FACTORS[1:])
    assert max(abs(score) for score in scores) < 3.5, scores
    assert sum(score**2 for score in scores) / len(scores) < 2, scores
    assert young / steady > 1.3
    assert effect[("ncd_band", "125+")] / effect[("ncd_band", "50-50")] > 1.5


# Volume-weighted development factor of the motor triangle, from an age in months to the next.
FACTOR = """
SELECT sum(later) FILTER (WHERE dev_lag_months = {1} AND later IS NOT NULL)
       / sum(cumulative) FILTER (WHERE dev_lag_months = {1} AND later IS NOT NULL)
  FROM (SELECT dev_lag_months, cumulative, lead(cumulative)
                 OVER (PARTITION BY origin_year ORDER BY dev_lag_months) AS later
          FROM report.triangle('2025-12-31')
         WHERE segment = 'MOTOR' AND measure = '{0}') AS t"""

BELIEVABLE = [
    # what, SQL that gives one number, lowest, highest
    ("quotes that are bound", "SELECT avg((bound_at IS NOT NULL)::int) FROM policy"
     " WHERE term_no = 1 AND status <> 'QUOTED'", 0.23, 0.27),
    *[(f"terms renewed, {kind}", "SELECT avg((EXISTS (SELECT FROM sim.ever_bound n WHERE"
       " n.policy_number = p.policy_number AND n.term_no = p.term_no + 1))::int)"
       " FROM sim.ever_bound p JOIN product USING (product_id) WHERE term_months = 12"
       f" AND p.policy_type = '{kind}' AND p.status <> 'CANCELLED' AND end_date < '2026-05-31'",
       low, high)
      for kind, low, high in [("MOTOR", 0.80, 0.90), ("HOME", 0.87, 0.95), ("LIFE", 0.91, 0.99),
                              ("TRAVEL", 0.62, 0.85), ("UNIT_LINKED", 0.88, 0.98)]],
    ("premium of a renewal against the old one, motor", "SELECT avg(n.annual_premium"
     " / o.annual_premium) FROM policy p JOIN policy q ON q.policy_number = p.policy_number"
     " AND q.term_no = p.term_no + 1 JOIN policy_version o ON o.policy_id = p.policy_id"
     " AND o.version_no = 1 JOIN policy_version n ON n.policy_id = q.policy_id"
     " AND n.version_no = 1 WHERE p.policy_type = 'MOTOR'", 0.96, 1.08),
    ("cancellations a policy-year", "SELECT count(*) FILTER (WHERE status = 'CANCELLED') / sum("
     "(least(coalesce(cancelled_on, end_date), '2026-07-01') - start_date) / 365.25)"
     " FROM sim.ever_bound WHERE start_date < '2026-07-01'", 0.03, 0.09),
    ("endorsements a policy-year", "SELECT (SELECT count(*) FROM policy_version WHERE txn_type ="
     " 'ENDORSEMENT') / sum((least(coalesce(cancelled_on, end_date), '2026-07-01') - start_date)"
     " / 365.25) FROM sim.ever_bound WHERE start_date < '2026-07-01'", 0.10, 0.25),
    *[(f"loss ratio of the three years, {kind}", "SELECT sum(incurred) / sum(earned_premium)"
       f" FROM report.claim_kpi('2026-06-30') WHERE segment = '{kind}'", low, high)
      for kind, low, high in [("ALL", 0.40, 0.75), ("MOTOR", 0.50, 0.85), ("HOME", 0.40, 0.90),
                              ("TRAVEL", 0.25, 0.85)]],
    *[(f"claims a coverage-year, {kind}", "SELECT sum(reported) / sum(exposure)"
       f" FROM report.claim_kpi('2026-06-30') WHERE segment = '{kind}'", low, high)
      for kind, low, high in [("MOTOR", 0.045, 0.080), ("HOME", 0.025, 0.060),
                              ("TRAVEL", 0.05, 0.13)]],
    ("mean claim over median claim, motor", "SELECT avg(incurred) / percentile_cont(0.5) WITHIN"
     " GROUP (ORDER BY incurred) FROM report.claim_position('2026-06-30')"
     " WHERE segment = 'MOTOR' AND paid > 0", 1.4, 4.0),
    ("claims above 100,000", "SELECT avg(is_large::int)"
     " FROM report.claim_position('2026-06-30')", 0.0, 0.01),
    ("paid from 12 to 24 months, motor", FACTOR.format("paid", 12), 1.25, 2.6),
    ("paid from 24 to 36 months, motor", FACTOR.format("paid", 24), 1.0, 2.2),
    ("incurred from 12 to 24 months, motor", FACTOR.format("incurred", 12), 0.85, 1.25),
    ("ended claims without a payment", "SELECT sum(closed_no_payment) / sum(closed_no_payment"
     " + closed_with_payment) FROM report.claim_kpi('2026-06-30') WHERE segment = 'ALL'",
     0.08, 0.22),
    ("closed claims that were reopened", "SELECT avg((reopened_at IS NOT NULL)::int) FROM claim"
     " WHERE closed_at < '2026-01-01'", 0.01, 0.09),
    ("median days from loss to report", "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY"
     " report_lag_days) FROM report.claim_position('2026-06-30')", 2, 12),
    ("days from loss to report of the slowest twentieth", "SELECT percentile_cont(0.95) WITHIN"
     " GROUP (ORDER BY report_lag_days) FROM report.claim_position('2026-06-30')", 25, 150),
    ("claims that investigators confirmed as fraud", "SELECT avg((siu_status = 'CONFIRMED')::int)"
     " FROM claim", 0.003, 0.04),
    ("invoices paid in full within sixty days", "SELECT avg((status = 'PAID')::int) FROM invoice"
     " WHERE due_date < '2026-05-01' AND status <> 'VOID'", 0.95, 1.0),
    ("debits that bounce", "SELECT avg((status = 'BOUNCED')::int) FROM payment"
     " WHERE method = 'DIRECT_DEBIT'", 0.02, 0.06),
    ("policies a customer", "SELECT count(DISTINCT policy_number)::numeric"
     " / count(DISTINCT party_id) FROM policy WHERE status = 'IN_FORCE'", 1.0, 1.6),
    ("average annual premium, motor", "SELECT avg(v.annual_premium) FROM policy p JOIN"
     " policy_version v USING (policy_id) WHERE p.policy_type = 'MOTOR' AND version_no = 1",
     400, 1400),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "lowest", "highest"), [case[1:] for case in BELIEVABLE], ids=[c[0] for c in BELIEVABLE]
)
def test_figures_lie_where_an_actuary_expects_them(
    book: Database, sql: str, lowest: float, highest: float
) -> None:
    assert lowest <= number(book, sql) <= highest


def test_severity_is_lognormal_within_one_cover(book: Database) -> None:
    amounts = [
        log(float(str(amount)))
        for (amount,) in book.rows(
            "SELECT paid_indemnity / exp(0.03 * (loss_date - '2023-07-01'::date) / 365.25)"
            " FROM report.claim_position('2026-06-30') WHERE coverage_code = 'GLASS'"
            " AND status = 'CLOSED' AND paid > 0"
        )
    ]
    mean = sum(amounts) / len(amounts)
    deviation = sqrt(sum((x - mean) ** 2 for x in amounts) / len(amounts))
    skew = sum(((x - mean) / deviation) ** 3 for x in amounts) / len(amounts)
    assert 350 < exp(mean) < 600
    # The tariff's sigma is 0.45; power classes spread it a little.
    assert 0.38 < deviation < 0.60
    assert abs(skew) < 0.6


def test_claims_of_a_storm_day_stand_out(book: Database) -> None:
    ordinary, stormy = book.rows(
        "SELECT count(*) FILTER (WHERE catastrophe_code IS NULL)"
        " / (SELECT count(DISTINCT loss_date)::numeric FROM claim),"
        " count(*) FILTER (WHERE catastrophe_code IS NOT NULL)"
        " / count(DISTINCT catastrophe_code)::numeric"
        " FROM claim"
    )[0]
    assert 3 <= float(str(stormy)) / float(str(ordinary)) <= 30
