-- Reserves as at v: the movement of a year, chain-ladder factors, and ultimates.

-- Grain: calendar_year, segment, and segment ALL. What a payment took off the reserve is the negative
-- reserve row of the same claim, component and day, up to the amount paid.
CREATE OR REPLACE FUNCTION report.reserve_movement(v date)
RETURNS TABLE (calendar_year integer, segment text, opening_case_reserve numeric, set_up numeric,
               strengthening numeric, release numeric, eroded_by_payment numeric, reserve_change numeric,
               closing_case_reserve numeric, paid numeric, recovered numeric, calendar_year_incurred numeric,
               open_claims bigint)
LANGUAGE sql STABLE AS $$
  WITH years AS (
    SELECT y AS year, least(make_date(y, 12, 31), v) AS day
      FROM generate_series((SELECT extract(year FROM min(loss_date))::int FROM claim), extract(year FROM v)::int) AS y
  ), held AS (   -- the claims of every year end
    SELECT years.year, p.segment, p.status, p.paid, p.recovered, p.case_reserve
      FROM years CROSS JOIN LATERAL report.claim_position(years.day) AS p
  ), balance AS (
    SELECT year, coalesce(segment, 'ALL') AS segment, sum(case_reserve) AS reserve, sum(held.paid) AS paid,
           sum(held.recovered) AS recovered, count(*) FILTER (WHERE status IN ('OPEN', 'REOPENED')) AS open_claims
      FROM held GROUP BY GROUPING SETS ((year, segment), (year))
  ), days AS (
    SELECT t.claim_id, p.segment, t.accounting_date AS day,
           sum(amount) FILTER (WHERE txn_type = 'RESERVE') AS change,
           coalesce(sum(amount) FILTER (WHERE txn_type = 'PAYMENT'), 0) AS paid,
           coalesce(sum(amount) FILTER (WHERE txn_type = 'RESERVE' AND amount < 0), 0) AS down,
           coalesce(sum(amount) FILTER (WHERE txn_type = 'RESERVE' AND amount > 0), 0) AS up,
           (SELECT min(f.accounting_date) FROM claim_transaction f
             WHERE f.claim_id = t.claim_id AND f.txn_type = 'RESERVE') AS first_day
      FROM claim_transaction t JOIN report.claim_position(v) AS p USING (claim_id)
     WHERE t.accounting_date <= v
     GROUP BY t.claim_id, p.segment, t.component, t.accounting_date
  ), parts AS (
    SELECT extract(year FROM day)::int AS year, segment, e.eroded, coalesce(change, 0) + e.eroded AS revision,
           extract(year FROM first_day) = extract(year FROM day) AS is_new
      FROM days CROSS JOIN LATERAL (
        SELECT CASE WHEN days.paid >= 0 THEN least(days.paid, -down) ELSE greatest(days.paid, -up) END AS eroded) AS e
  ), moved AS (
    SELECT year, coalesce(segment, 'ALL') AS segment, sum(eroded) AS eroded,
           sum(revision) FILTER (WHERE is_new) AS set_up,
           sum(revision) FILTER (WHERE NOT is_new AND revision > 0) AS strengthening,
           -sum(revision) FILTER (WHERE NOT is_new AND revision < 0) AS release
      FROM parts GROUP BY GROUPING SETS ((year, segment), (year))
  ), yearly AS (
    SELECT b.year, b.segment, b.reserve, b.open_claims,
           lag(b.reserve, 1, 0::numeric) OVER w AS opening, b.paid - lag(b.paid, 1, 0::numeric) OVER w AS paid,
           b.recovered - lag(b.recovered, 1, 0::numeric) OVER w AS recovered
      FROM balance b WINDOW w AS (PARTITION BY b.segment ORDER BY b.year)
  )
  SELECT y.year, y.segment, y.opening, coalesce(m.set_up, 0), coalesce(m.strengthening, 0), coalesce(m.release, 0),
         coalesce(m.eroded, 0), y.reserve - y.opening, y.reserve, y.paid, y.recovered,
         y.paid - y.recovered + y.reserve - y.opening, y.open_claims
    FROM yearly y LEFT JOIN moved m USING (year, segment)
$$;

-- Grain: segment (and ALL), measure, average, from_lag_months; the averages volume and simple, no tail.
CREATE OR REPLACE FUNCTION report.ldf(v date, cap numeric DEFAULT 100000)
RETURNS TABLE (segment text, measure text, average text, from_lag_months integer, to_lag_months integer,
               ldf float8, cdf_to_ultimate float8, zero_bases bigint)
LANGUAGE sql STABLE AS $$
  WITH cells AS (SELECT * FROM report.triangle(v, cap)
  ), links AS (
    SELECT a.segment, a.measure, a.dev_lag_months AS lag, a.cumulative AS base, b.cumulative AS next
      FROM cells a JOIN cells b ON b.segment = a.segment AND b.measure = a.measure AND b.origin_year = a.origin_year
                               AND b.dev_lag_months = a.dev_lag_months + 12
  ), factors AS (
    SELECT links.segment, links.measure, 'volume' AS average, lag,
           (sum(next) / nullif(sum(base), 0))::float8 AS f, count(*) FILTER (WHERE base = 0) AS zeros
      FROM links GROUP BY 1, 2, 4
    UNION ALL
    SELECT links.segment, links.measure, 'simple', lag,
           avg(next::float8 / nullif(base, 0)::float8), count(*) FILTER (WHERE base = 0)
      FROM links GROUP BY 1, 2, 4
  )
  SELECT k.segment, k.measure, k.average, k.lag, k.lag + 12, k.f,
         (SELECT CASE WHEN count(*) = count(l.f) AND min(l.f) > 0 THEN exp(sum(ln(nullif(greatest(l.f, 0), 0)))) END
            FROM factors l
           WHERE l.segment = k.segment AND l.measure = k.measure AND l.average = k.average AND l.lag >= k.lag),
         k.zeros
    FROM factors k
$$;

-- Grain: segment (and ALL), measure, origin_year. Bornhuetter-Ferguson with one expected loss ratio.
CREATE OR REPLACE FUNCTION report.ultimate(v date, cap numeric DEFAULT 100000, elr numeric DEFAULT 0.65)
RETURNS TABLE (segment text, measure text, origin_year integer, latest_lag_months integer, latest numeric,
               cdf_to_ultimate float8, ultimate numeric, to_come numeric, ibnr numeric, bf_ultimate numeric)
LANGUAGE sql STABLE AS $$
  WITH diagonal AS (
    SELECT DISTINCT ON (t.segment, t.measure, t.origin_year)
           t.segment, t.measure, t.origin_year, t.dev_lag_months AS lag, t.cumulative AS latest
      FROM report.triangle(v, cap) AS t ORDER BY t.segment, t.measure, t.origin_year, t.dev_lag_months DESC
  ), factor AS (
    SELECT f.segment, f.measure, f.from_lag_months AS lag, f.cdf_to_ultimate AS cdf
      FROM report.ldf(v, cap) AS f WHERE f.average = 'volume'
  ), premium AS (
    SELECT coalesce(policy_type, 'ALL') AS segment, calendar_year AS year, round(sum(earned_premium), 2) AS earned
      FROM report.earned_year(v) WHERE policy_type <> 'UNKNOWN'
     GROUP BY GROUPING SETS ((policy_type, calendar_year), (calendar_year))
  ), developed AS (
    SELECT d.*, CASE WHEN f.lag IS NULL THEN 1 ELSE f.cdf END AS cdf,
           (SELECT k.latest FROM diagonal k WHERE k.segment = d.segment AND k.origin_year = d.origin_year
               AND k.measure = CASE WHEN d.measure IN ('paid', 'incurred') THEN 'incurred'
                                    WHEN d.measure LIKE '%count' THEN 'reported_count' END) AS already
      FROM diagonal d LEFT JOIN factor f USING (segment, measure, lag)
  )
  SELECT d.segment, d.measure, d.origin_year, d.lag, d.latest, d.cdf, u.ultimate, u.ultimate - d.latest,
         u.ultimate - d.already,
         CASE WHEN d.measure IN ('paid', 'incurred')
              THEN round((d.latest::float8 + elr * p.earned * (1 - 1 / nullif(d.cdf, 0)))::numeric, 2) END
    FROM developed d
   CROSS JOIN LATERAL (SELECT round((d.latest::float8 * d.cdf)::numeric, 2) AS ultimate) AS u
    LEFT JOIN premium p ON p.segment = d.segment AND p.year = d.origin_year
$$;
