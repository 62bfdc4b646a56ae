-- Rating factors as at v; those that need no band.

-- Grain: coverage_id and calendar_year (policy_id where no coverage is known), factor. A claim meets the segment it names
-- where that was on risk on the day of loss, else one of its policy with its coverage code. Premium is rounded by row.
CREATE OR REPLACE FUNCTION report.model_level(v date)
RETURNS TABLE (factor text, level text, policy_type text, coverage text, exposure float8, claims bigint, paid bigint,
               incurred numeric, capped numeric, earned numeric)
LANGUAGE sql STABLE AS $$
  WITH facts AS (
    SELECT e.coverage_id, e.policy_id, e.calendar_year AS year, e.exposure, 0 AS claims, 0 AS paid,
           0::numeric AS incurred, 0::numeric AS capped, 0::numeric AS earned
      FROM report.exposure_segment(v) AS e
    UNION ALL
    SELECT coalesce(hit.coverage_id, c.coverage_id), p.policy_id, p.accident_year, 0, 1, (p.paid > 0)::int, p.incurred,
           p.incurred_capped, 0
      FROM report.claim_position(v) AS p
      JOIN claim c USING (claim_id)
      LEFT JOIN LATERAL (
        SELECT s.coverage_id FROM report.segment s
         WHERE s.policy_id = p.policy_id AND s.effective_from <= p.loss_date AND p.loss_date < s.on_risk_to
           AND (s.coverage_id = c.coverage_id OR s.coverage_code = p.coverage_code)
         ORDER BY (s.coverage_id = c.coverage_id) IS TRUE DESC, s.coverage_id LIMIT 1) AS hit ON TRUE
    UNION ALL
    SELECT l.coverage_id, l.policy_id, y, 0, 0, 0, 0, 0,
           l.amount * report.overlap_days(l.earn_from, l.earn_to, make_date(y, 1, 1), least(make_date(y + 1, 1, 1), v + 1))
           / (l.earn_to - l.earn_from)
      FROM premium_transaction l
     CROSS JOIN LATERAL generate_series(extract(year FROM l.earn_from)::int,
                                        extract(year FROM least(l.earn_to - 1, v))::int) AS y
     WHERE l.booked_on <= v
  ), summed AS (
    SELECT f.coverage_id, f.year, max(f.policy_id) AS policy_id, sum(f.exposure) AS exposure, sum(f.claims) AS claims,
           sum(f.paid) AS paid, sum(f.incurred) AS incurred, sum(f.capped) AS capped, round(sum(f.earned), 2) AS earned
      FROM facts f
     GROUP BY f.coverage_id, f.year, CASE WHEN f.coverage_id IS NULL THEN f.policy_id END
  )
  SELECT f.factor, coalesce(f.level, 'UNKNOWN'), coalesce(p.policy_type, 'UNKNOWN'), coalesce(g.coverage_code, 'UNKNOWN'),
         x.exposure, x.claims, x.paid, x.incurred, x.capped, x.earned
    FROM summed x
    LEFT JOIN policy p USING (policy_id)
    LEFT JOIN agent a USING (agent_id)
    LEFT JOIN coverage g USING (coverage_id)
    LEFT JOIN risk_object r USING (risk_object_id)
   CROSS JOIN LATERAL (VALUES
     ('(all)', '(all)'), ('calendar_year', x.year::text), ('policy_type', p.policy_type), ('channel', a.channel),
     ('payment_plan', p.payment_plan), ('coverage', g.coverage_code),
     ('deductible', regexp_replace(g.deductible_amount::text, '[.]00$', '')), ('area_code', r.area_code),
     ('region_code', r.region_code), ('usage_code', r.usage_code), ('object_class', r.object_class),
     ('power_class', r.power_class), ('make', r.make), ('fuel_type', r.fuel_type)) AS f(factor, level)
$$;

-- Grain: factor, level.
CREATE OR REPLACE FUNCTION report.oneway(v date)
RETURNS TABLE (factor text, level text, exposure float8, claim_count bigint, paid_claim_count bigint, incurred numeric,
               incurred_capped numeric, frequency float8, severity float8, pure_premium float8, freq_relativity float8)
LANGUAGE sql STABLE AS $$
  WITH summed AS (
    SELECT d.factor, d.level, sum(d.exposure) AS exposure, sum(d.claims)::bigint AS claims, sum(d.paid)::bigint AS paid,
           sum(d.incurred) AS incurred, sum(d.capped) AS capped
      FROM report.model_level(v) AS d GROUP BY 1, 2
  )
  SELECT s.factor, s.level, s.exposure, s.claims, s.paid, s.incurred, s.capped,
         s.claims / nullif(s.exposure, 0), s.incurred::float8 / nullif(s.claims, 0), s.incurred / nullif(s.exposure, 0),
         (s.claims / nullif(s.exposure, 0)) / nullif((SELECT w.claims / nullif(w.exposure, 0)
                                                        FROM summed w WHERE w.factor = '(all)'), 0)
    FROM summed s
$$;

-- Grain: factor, level. Claims are expected at the frequency of the policy type and coverage, losses at 65 % of premium.
CREATE OR REPLACE FUNCTION report.actual_expected(v date)
RETURNS TABLE (factor text, level text, exposure float8, actual_claims bigint, expected_claims float8,
               actual_incurred numeric, expected_incurred numeric, actual_to_expected float8, band_low float8,
               band_high float8, significant boolean, incurred_to_expected float8)
LANGUAGE sql STABLE AS $$
  WITH fact AS MATERIALIZED (SELECT * FROM report.model_level(v)
  ), usual AS (
    SELECT f.policy_type, f.coverage, sum(f.claims) / nullif(sum(f.exposure), 0) AS frequency
      FROM fact f WHERE f.factor = '(all)' GROUP BY 1, 2
  ), summed AS (
    SELECT f.factor, f.level, sum(f.exposure) AS exposure, sum(f.claims)::bigint AS claims,
           coalesce(sum(f.exposure * u.frequency), 0) AS expected, sum(f.incurred) AS incurred,
           round(sum(f.earned * 0.65), 2) AS losses
      FROM fact f JOIN usual u USING (policy_type, coverage) GROUP BY 1, 2
  )
  SELECT s.factor, s.level, s.exposure, s.claims, s.expected, s.incurred, s.losses, a.ratio, b.low, b.high,
         b.low > 1 OR b.high < 1, s.incurred::float8 / nullif(s.losses, 0)::float8
    FROM summed s
   CROSS JOIN LATERAL (SELECT s.claims / nullif(s.expected, 0) AS ratio) AS a
   CROSS JOIN LATERAL (SELECT a.ratio * (1 - 1.96 / nullif(sqrt(s.claims), 0)) AS low,
                              a.ratio * (1 + 1.96 / nullif(sqrt(s.claims), 0)) AS high) AS b
$$;
