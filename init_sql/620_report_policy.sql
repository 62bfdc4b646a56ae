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
