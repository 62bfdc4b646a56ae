-- Days that stand out from the same weekday of the eight weeks before, as at v.

CREATE OR REPLACE FUNCTION report.median(numbers float8[]) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM unnest(numbers) AS x $$;

-- The probability of fewer than n events at a mean.
CREATE OR REPLACE FUNCTION report.poisson_below(n bigint, mean float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(sum(exp(-mean) * power(mean, k) / factorial(k)::float8), 0) FROM generate_series(0, n - 1) AS k
$$;

-- Grain: day, segment and ALL, metric, of the last 366 days; the metrics of the business, not those of the pipeline.
CREATE OR REPLACE FUNCTION report.anomaly_day(v date)
RETURNS TABLE (day date, segment text, metric text, value float8, baseline float8, z float8, points bigint,
               flagged boolean, method text)
LANGUAGE sql STABLE AS $$
  WITH event AS (
    SELECT p.reported_on AS day, p.segment, 'new_claims' AS metric, 1::float8 AS amount FROM report.claim_position(v) AS p
    UNION ALL SELECT t.accounting_date, p.segment, 'paid', t.amount::float8
      FROM claim_transaction t JOIN report.claim_position(v) AS p USING (claim_id) WHERE t.txn_type = 'PAYMENT'
    UNION ALL SELECT sim.day_of(p.quoted_at), coalesce(p.policy_type, 'UNKNOWN'), 'quotes', 1 FROM policy p
    UNION ALL SELECT sim.day_of(b.booked_at), coalesce(p.policy_type, 'UNKNOWN'), 'cancellations', 1
      FROM policy_version b LEFT JOIN policy p USING (policy_id) WHERE b.txn_type = 'CANCELLATION'
  ), daily AS (
    SELECT e.day, s.segment, e.metric, round(sum(e.amount)::numeric, 2)::float8 AS value, count(*) AS events
      FROM event e CROSS JOIN LATERAL (VALUES (e.segment), ('ALL')) AS s(segment) GROUP BY 1, 2, 3
  ), span AS (SELECT d.segment, d.metric, greatest(min(d.day), v - 421) AS first FROM daily d GROUP BY 1, 2
  ), every AS (
    SELECT c.day::date AS day, s.segment, s.metric, coalesce(d.value, 0) AS value, coalesce(d.events, 0) AS events
      FROM span s CROSS JOIN LATERAL generate_series(s.first, v, INTERVAL '1 day') AS c(day)
      LEFT JOIN daily d ON d.day = c.day::date AND d.segment = s.segment AND d.metric = s.metric
  ), compared AS (
    SELECT e.*, array_agg(e.value) OVER weekday AS before, sum(e.events) OVER weekday AS sum_before,
           array_agg(e.events::float8) OVER weekday AS events_before, count(*) OVER weekday AS n
      FROM every e
    WINDOW weekday AS (PARTITION BY e.segment, e.metric, extract(dow FROM e.day) ORDER BY e.day
                       ROWS BETWEEN 8 PRECEDING AND 1 PRECEDING)
  ), measured AS (
    SELECT c.*, b.baseline, report.median(ARRAY(SELECT abs(x - b.baseline) FROM unnest(c.before) AS x)) AS mad,
           greatest(c.sum_before, 1)::float8 / nullif(c.n, 0) AS rate, report.median(c.events_before) AS usual
      FROM compared c CROSS JOIN LATERAL (SELECT report.median(c.before) AS baseline) AS b
     WHERE c.day > v - 366
  ), tested AS (
    SELECT m.*, 0.6745 * (m.value - m.baseline) / nullif(m.mad, 0) AS z,
           CASE WHEN m.n < 6 THEN 'none' WHEN m.usual < 10 OR m.mad = 0 THEN 'poisson' ELSE 'robust_z' END AS method
      FROM measured m
  )
  SELECT t.day, t.segment, t.metric, t.value, t.baseline, t.z, t.n,
         CASE t.method WHEN 'none' THEN FALSE WHEN 'robust_z' THEN abs(t.z) > 3.5
              ELSE least(1 - report.poisson_below(t.events, t.rate), report.poisson_below(t.events + 1, t.rate)) < 0.001 END,
         t.method
    FROM tested t
$$;
