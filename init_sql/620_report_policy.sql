-- Contracts as at v: how the policies in force moved, year by year.

-- A day on which a policy number comes on risk, or leaves it, by the dates of its segments: nothing of
-- it is on risk on the day before, or from that day on. Segments of no policy are not in report.segment.
CREATE OR REPLACE VIEW report.entry AS
SELECT s.policy_type, s.policy_number, s.effective_from AS day, min(p.term_no) AS term_no,
       sum(s.annual_premium) AS premium
  FROM report.segment s
  JOIN policy p USING (policy_id)
 WHERE NOT EXISTS (SELECT FROM report.segment b
                    WHERE b.policy_number = s.policy_number AND b.policy_type = s.policy_type
                      AND b.effective_from < s.effective_from AND b.on_risk_to >= s.effective_from)
 GROUP BY 1, 2, 3;

CREATE OR REPLACE VIEW report.exit AS
SELECT DISTINCT ON (s.policy_type, s.policy_number, s.on_risk_to)
       s.policy_type, s.policy_number, s.on_risk_to AS day,
       CASE WHEN s.on_risk_to >= p.end_date THEN 'lapsed'
            WHEN p.cancel_reason = 'SURRENDER' THEN 'surrendered'
            WHEN p.cancel_reason IN ('DEATH', 'MATURITY') THEN 'claims'
            ELSE 'cancelled' END AS how,
       sum(s.annual_premium) OVER (PARTITION BY s.policy_type, s.policy_number, s.on_risk_to) AS premium
  FROM report.segment s
  JOIN policy p USING (policy_id)
 WHERE NOT EXISTS (SELECT FROM report.segment n
                    WHERE n.policy_number = s.policy_number AND n.policy_type = s.policy_type
                      AND n.effective_from <= s.on_risk_to AND n.on_risk_to > s.on_risk_to)
 ORDER BY 1, 2, 3, p.term_no DESC;

-- Grain: calendar_year, policy_type; the years in which something of the type was on risk or left.
CREATE OR REPLACE FUNCTION report.inforce_movement(v date)
RETURNS TABLE (calendar_year integer, policy_type text, opening_in_force bigint, new_business bigint,
               reinstated bigint, cancelled bigint, lapsed bigint, surrendered bigint, claims bigint,
               closing_in_force bigint, opening_premium numeric, new_premium numeric, exited_premium numeric,
               closing_premium numeric, premium_change numeric)
LANGUAGE sql STABLE AS $$
  WITH years AS (
    SELECT y, make_date(y - 1, 12, 31) AS before, least(make_date(y, 12, 31), v) AS until
      FROM generate_series((SELECT extract(year FROM min(effective_from))::int FROM report.segment),
                           extract(year FROM v)::int) AS y
  ), figures AS (
    SELECT y, t.policy_type, o.policies AS opening, i.fresh, i.again, x.cancelled, x.lapsed, x.surrendered, x.claims,
           c.policies AS closing, o.premium AS opening_premium, i.premium AS new_premium,
           x.premium AS exited_premium, c.premium AS closing_premium
      FROM years
     CROSS JOIN (SELECT DISTINCT s.policy_type FROM report.segment s) AS t
     CROSS JOIN LATERAL (SELECT count(DISTINCT policy_number) AS policies, coalesce(sum(annual_premium), 0) AS premium
                           FROM report.segment s WHERE s.policy_type = t.policy_type
                            AND effective_from <= before AND on_risk_to > before) AS o
     CROSS JOIN LATERAL (SELECT count(DISTINCT policy_number) AS policies, coalesce(sum(annual_premium), 0) AS premium
                           FROM report.segment s WHERE s.policy_type = t.policy_type
                            AND effective_from <= until AND on_risk_to > until) AS c
     CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE first AND term_no = 1) AS fresh,
              count(*) FILTER (WHERE NOT first OR term_no <> 1) AS again, coalesce(sum(premium), 0) AS premium
         FROM (SELECT e.*, day = min(day) OVER (PARTITION BY policy_number) AS first
                 FROM report.entry e WHERE e.policy_type = t.policy_type) AS e
        WHERE day > before AND day <= until) AS i
     CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE how = 'cancelled') AS cancelled, count(*) FILTER (WHERE how = 'lapsed') AS lapsed,
              count(*) FILTER (WHERE how = 'surrendered') AS surrendered,
              count(*) FILTER (WHERE how = 'claims') AS claims, coalesce(sum(premium), 0) AS premium
         FROM report.exit e WHERE e.policy_type = t.policy_type AND day > before AND day <= until) AS x
  )
  SELECT f.*, closing_premium - opening_premium - new_premium + exited_premium
    FROM figures f
   WHERE opening + fresh + again > 0
$$;

-- Grain: policy_type (life, unit-linked), policy_year, counted from the first day on risk.
CREATE OR REPLACE FUNCTION report.surrender_year(v date)
RETURNS TABLE (policy_type text, policy_year integer, policies_entering bigint, exposure_policy_years float8,
               surrenders bigint, surrender_rate_central float8, survival_end float8)
LANGUAGE sql STABLE AS $$
  WITH contract AS (   -- a stay on risk: from an entry to the first exit after it
    SELECT e.policy_type, e.policy_number, e.day AS comes, x.day AS leaves, x.how,
           min(e.day) OVER (PARTITION BY e.policy_type, e.policy_number) AS born
      FROM report.entry e
     CROSS JOIN LATERAL (SELECT x.day, x.how FROM report.exit x
                          WHERE x.policy_type = e.policy_type AND x.policy_number = e.policy_number AND x.day > e.day
                          ORDER BY x.day LIMIT 1) AS x
     WHERE e.policy_type IN ('LIFE', 'UNIT_LINKED') AND e.day <= v
  ), months AS (
    SELECT c.policy_type, m, k.starts, k.ends, k.year_days, c.comes, c.leaves, c.how
      FROM contract c
     CROSS JOIN LATERAL generate_series(0, 12 * (extract(year FROM v) - extract(year FROM c.born))::int + 12) AS m
     CROSS JOIN LATERAL (
       SELECT (born + m * INTERVAL '1 month')::date AS starts, (born + (m + 1) * INTERVAL '1 month')::date AS ends,
              (born + (m / 12 + 1) * INTERVAL '1 year')::date - (born + (m / 12) * INTERVAL '1 year')::date
              AS year_days) AS k
     WHERE k.starts <= v AND k.starts < c.leaves AND k.ends > c.comes
  ), monthly AS (
    SELECT b.policy_type, m, count(*) FILTER (WHERE comes <= starts) AS at_risk,
           count(*) FILTER (WHERE how = 'surrendered' AND leaves <= v AND leaves <= ends) AS surrenders,
           sum(report.overlap_days(comes, least(leaves, v + 1), starts, ends)::float8 / year_days) AS exposure
      FROM months b GROUP BY 1, 2
  ), stay AS (
    SELECT n.*, greatest(0, 1 - coalesce(surrenders::float8 / nullif(at_risk, 0), 0)) AS share FROM monthly n
  )
  SELECT s.policy_type, (m / 12 + 1)::int AS policy_year, (sum(at_risk) FILTER (WHERE m % 12 = 0))::bigint,
         sum(exposure), sum(surrenders)::bigint, sum(surrenders) / sum(exposure),
         (SELECT CASE WHEN min(share) > 0 THEN exp(sum(ln(nullif(share, 0)))) ELSE 0 END
            FROM stay a WHERE a.policy_type = s.policy_type AND a.m <= max(s.m))
    FROM stay s GROUP BY 1, 2
$$;

-- Grain: expiry_month, factor, level; the bands of price change are those of ref_band.
CREATE OR REPLACE FUNCTION report.retention_cohort(v date)
RETURNS TABLE (expiry_month date, factor text, level text, expiring bigint, renewed bigint, expiring_premium numeric,
               renewed_premium numeric, expiring_premium_of_renewed numeric, renewal_ratio float8, lapse_ratio float8,
               premium_retention float8, rate_change_on_renewed float8, retention_12m float8, mature boolean,
               cancelled_mid_term bigint)
LANGUAGE sql STABLE AS $$
  WITH ending AS (
    SELECT p.*, coalesce(p.cancelled_on >= p.end_date, TRUE) AS expires,
           (SELECT annual_premium FROM policy_version n
             WHERE n.policy_id = p.policy_id AND sim.day_of(n.booked_at) <= v ORDER BY version_no DESC LIMIT 1) AS premium,
           (SELECT min(start_date) FROM policy f WHERE f.policy_number = p.policy_number
               AND f.status NOT IN ('QUOTED', 'DECLINED', 'NOT_TAKEN')) AS first_start
      FROM policy p
     WHERE p.status NOT IN ('QUOTED', 'DECLINED', 'NOT_TAKEN') AND p.end_date <= v
       AND coalesce(p.cancelled_on > p.start_date, TRUE)
  ), answered AS (
    SELECT e.*, e.expires AND n.policy_id IS NOT NULL AS renews,
           (SELECT annual_premium FROM policy_version w
             WHERE w.policy_id = any_next.policy_id AND sim.day_of(w.booked_at) <= v
             ORDER BY version_no DESC LIMIT 1) AS next_premium
      FROM ending e
      LEFT JOIN policy any_next ON any_next.policy_number = e.policy_number AND any_next.term_no = e.term_no + 1
      LEFT JOIN policy n ON n.policy_id = any_next.policy_id AND coalesce(sim.day_of(n.bound_at) <= v, TRUE)
           AND (n.status IN ('BOUND', 'IN_FORCE', 'EXPIRED', 'RENEWED', 'LAPSED')
                OR (n.status = 'CANCELLED' AND n.cancelled_on > n.start_date))
  ), described AS (
    SELECT a.*, f.factor, coalesce(f.level, 'UNKNOWN') AS level
      FROM answered a
     CROSS JOIN LATERAL (SELECT floor(100 * next_premium / nullif(premium, 0)) AS percent) AS price
     CROSS JOIN LATERAL (VALUES
       ('(all)', '(all)'), ('policy_type', a.policy_type), ('payment_plan', a.payment_plan),
       ('channel', (SELECT channel FROM agent g WHERE g.agent_id = a.agent_id)),
       ('region_code', (SELECT region_code FROM risk_object r WHERE r.policy_id = a.policy_id
                         ORDER BY risk_object_id LIMIT 1)),
       ('tenure_years', greatest(term_no, sim.years_between(first_start, end_date))::text),
       ('price_change_band',
        CASE WHEN percent < 90 THEN '0-89' WHEN percent < 95 THEN '90-94' WHEN percent < 100 THEN '95-99'
             WHEN percent < 105 THEN '100-104' WHEN percent < 110 THEN '105-109'
             WHEN percent < 120 THEN '110-119' WHEN percent >= 120 THEN '120+' END)) AS f(factor, level)
  ), cohort AS (
    SELECT report.month_of(end_date) AS month, d.factor, d.level, count(*) FILTER (WHERE expires) AS expiring,
           count(*) FILTER (WHERE renews) AS renewed, count(*) FILTER (WHERE NOT expires) AS cancelled,
           coalesce(sum(premium) FILTER (WHERE expires), 0) AS old,
           coalesce(sum(next_premium) FILTER (WHERE renews), 0) AS new,
           coalesce(sum(premium) FILTER (WHERE renews), 0) AS old_of_renewed
      FROM described d GROUP BY 1, 2, 3
  )
  SELECT month, c.factor, c.level, c.expiring, c.renewed, old, new, old_of_renewed,
         c.renewed / nullif(c.expiring, 0)::float8, 1 - c.renewed / nullif(c.expiring, 0)::float8,
         (new / nullif(old, 0))::float8, (new / nullif(old_of_renewed, 0))::float8 - 1,
         c.renewed / nullif(c.expiring + cancelled, 0)::float8,
         (month + INTERVAL '1 month')::date - 1 + 30 <= v, cancelled
    FROM cohort c
$$;
