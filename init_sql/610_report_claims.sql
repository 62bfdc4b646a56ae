-- Claims as at v: positions, key figures, triangles. Ledger rows count by accounting date.

-- Grain: claim_id. Status as at v is read from the claim's own timestamps.
CREATE OR REPLACE FUNCTION report.claim_position(v date, cap numeric DEFAULT 100000)
RETURNS TABLE (claim_id bigint, valuation_date date, claim_number text, policy_id bigint, policy_number text,
               segment text, coverage_code text, cause_code text, catastrophe_code text, loss_date date,
               accident_year integer,
               reported_on date, report_lag_days integer, status text, closed_on date, litigated boolean,
               paid numeric, paid_indemnity numeric, paid_expense numeric, recovered numeric, case_reserve numeric,
               recovery_reserve numeric, incurred numeric, incurred_capped numeric, excess numeric, is_large boolean)
LANGUAGE sql STABLE AS $$
  WITH money AS (
    SELECT t.claim_id,
           coalesce(sum(amount) FILTER (WHERE txn_type = 'PAYMENT'), 0) AS paid,
           coalesce(sum(amount) FILTER (WHERE txn_type = 'PAYMENT' AND component = 'INDEMNITY'), 0) AS paid_indemnity,
           coalesce(sum(amount) FILTER (WHERE txn_type = 'PAYMENT' AND component = 'EXPENSE'), 0) AS paid_expense,
           coalesce(sum(amount) FILTER (WHERE txn_type = 'RECOVERY'), 0) AS recovered,
           coalesce(sum(amount) FILTER (WHERE txn_type = 'RESERVE'), 0) AS case_reserve,
           coalesce(sum(amount) FILTER (WHERE txn_type = 'RECOVERY_RESERVE'), 0) AS recovery_reserve
      FROM claim_transaction t
     WHERE t.accounting_date <= v
     GROUP BY t.claim_id
  ), known AS (
    SELECT c.*, (c.reported_at AT TIME ZONE 'UTC')::date AS reported_on, ended.day AS ended_on,
           CASE WHEN c.status IN ('CLOSED', 'REJECTED', 'WITHDRAWN') AND ended.day <= v THEN c.status
                WHEN (c.reopened_at AT TIME ZONE 'UTC')::date <= v THEN 'REOPENED'
                WHEN c.status = 'REOPENED' AND ended.day <= v THEN 'CLOSED'
                ELSE 'OPEN' END AS status_at_v
      FROM claim c
     CROSS JOIN LATERAL (SELECT (c.closed_at AT TIME ZONE 'UTC')::date AS day) AS ended
     WHERE (c.reported_at AT TIME ZONE 'UTC')::date <= v
  )
  SELECT k.claim_id, v, k.claim_number, k.policy_id, p.policy_number, coalesce(p.policy_type, 'UNKNOWN'),
         g.coverage_code, k.cause_code, k.catastrophe_code, k.loss_date, extract(year FROM k.loss_date)::int,
         k.reported_on, k.reported_on - k.loss_date, k.status_at_v,
         CASE WHEN k.status_at_v NOT IN ('OPEN', 'REOPENED') THEN k.ended_on END, k.litigated,
         coalesce(m.paid, 0), coalesce(m.paid_indemnity, 0), coalesce(m.paid_expense, 0), coalesce(m.recovered, 0),
         coalesce(m.case_reserve, 0), coalesce(m.recovery_reserve, 0), i.incurred,
         least(i.incurred, cap), i.incurred - least(i.incurred, cap), i.incurred > cap
    FROM known k
    LEFT JOIN money m USING (claim_id)
    LEFT JOIN policy p ON p.policy_id = k.policy_id
    LEFT JOIN coverage g ON g.coverage_id = k.coverage_id
   CROSS JOIN LATERAL (SELECT coalesce(m.paid - m.recovered + m.case_reserve + m.recovery_reserve, 0) AS incurred) AS i
$$;

-- Grain: accident_year, segment, and segment ALL. Open counts every claim that is not ended; reopened
-- is the part of it that was closed before. A claim without a policy is in the totals (segment
-- UNKNOWN, and ALL) but in no ratio, because its premium and exposure are not known.
CREATE OR REPLACE FUNCTION report.claim_kpi(v date, cap numeric DEFAULT 100000)
RETURNS TABLE (accident_year integer, segment text, reported bigint, open bigint, closed_with_payment bigint,
               closed_no_payment bigint, reopened bigint, exposure float8, earned_premium numeric, paid numeric,
               incurred numeric, frequency float8, severity float8, severity_paid_claims float8, pure_premium float8,
               loss_ratio float8, large_count bigint, excess numeric)
LANGUAGE sql STABLE AS $$
  WITH facts AS (
    SELECT accident_year, segment, 1 AS claims, (segment <> 'UNKNOWN')::int AS matched,
           (status IN ('OPEN', 'REOPENED'))::int AS open, (status = 'REOPENED')::int AS reopened,
           (status NOT IN ('OPEN', 'REOPENED'))::int AS ended, (paid > 0)::int AS with_payment,
           0::float8 AS exposure, 0::numeric AS earned, paid, incurred, is_large::int AS large, excess
      FROM report.claim_position(v, cap)
    UNION ALL
    SELECT calendar_year, policy_type, 0, 0, 0, 0, 0, 0, exposure, 0, 0, 0, 0, 0 FROM report.exposure_segment(v)
    UNION ALL
    SELECT calendar_year, policy_type, 0, 0, 0, 0, 0, 0, 0, earned_premium, 0, 0, 0, 0 FROM report.earned_year(v)
  ), summed AS (
    SELECT accident_year, coalesce(segment, 'ALL') AS segment, sum(claims) AS reported, sum(open) AS open,
           sum(ended * with_payment) AS closed_with, sum(ended * (1 - with_payment)) AS closed_without,
           sum(reopened) AS reopened, sum(exposure) AS exposure, sum(earned) AS earned, sum(paid) AS paid,
           sum(incurred) AS incurred, sum(large) AS large,
           sum(excess) AS excess, sum(claims * matched) AS matched_claims, sum(incurred * matched) AS matched_incurred,
           sum(claims * with_payment) AS paid_claims, sum(incurred * with_payment) AS paid_claims_incurred
      FROM facts
     GROUP BY GROUPING SETS ((accident_year, segment), (accident_year))
  )
  SELECT accident_year, segment, reported, open, closed_with, closed_without, reopened, exposure,
         round(earned, 2), paid, incurred,
         matched_claims / nullif(exposure, 0), incurred::float8 / nullif(reported, 0),
         paid_claims_incurred::float8 / nullif(paid_claims, 0), matched_incurred / nullif(exposure, 0),
         (matched_incurred / nullif(earned, 0))::float8, large, excess
    FROM summed
$$;

-- What each claim adds to each measure on which day.
CREATE OR REPLACE FUNCTION report.development(v date, cap numeric DEFAULT 100000)
RETURNS TABLE (segment text, measure text, origin_year integer, calendar_year integer, amount numeric)
LANGUAGE sql STABLE AS $$
  WITH position AS (SELECT * FROM report.claim_position(v, cap)
  ), yearly AS (
    SELECT p.claim_id, p.segment, p.accident_year, extract(year FROM t.accounting_date)::int AS year,
           sum(CASE t.txn_type WHEN 'PAYMENT' THEN t.amount ELSE 0 END) AS paid,
           sum(CASE t.txn_type WHEN 'RECOVERY' THEN -t.amount ELSE t.amount END) AS incurred
      FROM position p JOIN claim_transaction t USING (claim_id)
     WHERE t.accounting_date <= v
     GROUP BY 1, 2, 3, 4
  ), running AS (
    SELECT *, sum(paid) OVER (PARTITION BY claim_id ORDER BY year) AS paid_to_date FROM yearly
  ), settled AS (  -- as at each year end: a claim reopened by then has left the count
    SELECT p.segment, p.accident_year, e.year
      FROM generate_series((SELECT min(accident_year) FROM position), extract(year FROM v)::int) AS e(year)
     CROSS JOIN LATERAL report.claim_position(least(make_date(e.year, 12, 31), v), cap) AS p
     WHERE p.closed_on IS NOT NULL AND p.paid > 0
  )
  SELECT segment, 'paid', accident_year, year, paid FROM running
  UNION ALL
  SELECT segment, 'incurred', accident_year, year, incurred FROM running
  UNION ALL
  SELECT segment, 'paid_capped_' || trim_scale(cap), accident_year, year,
         least(paid_to_date, cap) - least(paid_to_date - paid, cap) FROM running
  UNION ALL
  SELECT segment, 'reported_count', accident_year, extract(year FROM reported_on)::int, 1 FROM position
  UNION ALL
  SELECT segment, 'closed_with_payment_count', accident_year, year, 1 FROM settled
  UNION ALL
  SELECT segment, 'closed_with_payment_count', accident_year, year + 1, -1
    FROM settled WHERE year < extract(year FROM v)
$$;

-- Grain: segment (and ALL), measure, origin_year, dev_lag_months. Every observed cell from the segment's
-- first origin year on, zero increments included; cells beyond the diagonal of v are absent.
CREATE OR REPLACE FUNCTION report.triangle(v date, cap numeric DEFAULT 100000)
RETURNS TABLE (segment text, measure text, origin_year integer, dev_lag_months integer,
               incremental numeric, cumulative numeric)
LANGUAGE sql STABLE AS $$
  WITH development AS (
    SELECT d.segment, d.measure, d.origin_year, d.calendar_year, d.amount FROM report.development(v, cap) AS d
    UNION ALL
    SELECT 'ALL', d.measure, d.origin_year, d.calendar_year, d.amount FROM report.development(v, cap) AS d
  ), cells AS (
    SELECT o.segment, m.measure, o.origin_year, year
      FROM (SELECT f.segment, generate_series(min(f.origin_year), extract(year FROM v)::int) AS origin_year
              FROM development f WHERE f.measure = 'reported_count' GROUP BY f.segment) AS o
     CROSS JOIN (VALUES ('paid'), ('incurred'), ('paid_capped_' || trim_scale(cap)), ('reported_count'),
                        ('closed_with_payment_count')) AS m(measure)
     CROSS JOIN LATERAL generate_series(o.origin_year, extract(year FROM v)::int) AS year
  ), increments AS (
    SELECT c.segment, c.measure, c.origin_year, 12 * (c.year - c.origin_year + 1) AS lag,
           coalesce(sum(d.amount), 0) AS incremental
      FROM cells c
      LEFT JOIN development d ON d.segment = c.segment AND d.measure = c.measure
                             AND d.origin_year = c.origin_year AND d.calendar_year = c.year
     GROUP BY 1, 2, 3, 4
  )
  SELECT segment, measure, origin_year, lag, incremental,
         sum(incremental) OVER (PARTITION BY segment, measure, origin_year ORDER BY lag)
    FROM increments
$$;
