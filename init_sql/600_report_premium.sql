-- Gold figures computed inside PostgreSQL, from the definitions alone: the second opinion that the
-- pipeline is reconciled with. Everything is as at a valuation date v; nothing booked later is seen.
CREATE SCHEMA IF NOT EXISTS report;

-- Days of [a, b) that lie in [from, to).
CREATE OR REPLACE FUNCTION report.overlap_days(a date, b date, from_day date, to_day date) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT greatest(0, least(b, to_day) - greatest(a, from_day))
$$;

CREATE OR REPLACE FUNCTION report.month_of(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT date_trunc('month', day::timestamp)::date $$;

-- The channel is that of the policy's agent; no agent, no channel known.
CREATE OR REPLACE VIEW report.ledger AS
SELECT t.*, coalesce(p.policy_type, 'UNKNOWN') AS policy_type, coalesce(a.channel, 'UNKNOWN') AS channel
  FROM premium_transaction t
  JOIN policy p USING (policy_id)
  LEFT JOIN agent a USING (agent_id);

-- Grain: month, policy_type, coverage_code, channel; the months that a ledger row is booked in, earns
-- in, or is unearned through, up to that of v. The month of v is cut after v, so that
--   sum(earned_premium) = sum(written_premium) - unearned premium at v   (but for rounding at the grain),
--   earned_premium_accounting = written_premium - (unearned_premium_end - unearned_premium_start)  exactly.
CREATE OR REPLACE FUNCTION report.premium_month(v date)
RETURNS TABLE (month date, policy_type text, coverage_code text, channel text,
               written_premium numeric, earned_premium numeric, earned_premium_accounting numeric,
               unearned_premium_start numeric, unearned_premium_end numeric, tax numeric, commission numeric)
LANGUAGE sql STABLE AS $$
  WITH months AS (
    SELECT m::date AS starts, least((m + INTERVAL '1 month')::date, v + 1) AS ends
      FROM generate_series((SELECT report.month_of(least(min(earn_from), min(booked_on)))
                              FROM premium_transaction)::timestamp, v::timestamp, INTERVAL '1 month') AS m
  ), parts AS (
    SELECT m.starts, l.policy_type, l.coverage_code, l.channel,
           CASE WHEN l.booked_on >= m.starts AND l.booked_on < m.ends THEN 1 ELSE 0 END AS booked_now,
           l.amount, l.tax_amount, l.commission_amount,
           l.amount * report.overlap_days(l.earn_from, l.earn_to, m.starts, m.ends)
             / (l.earn_to - l.earn_from) AS earned,
           CASE WHEN l.booked_on < m.starts
                THEN l.amount * (l.earn_to - greatest(l.earn_from, least(m.starts, l.earn_to)))
                     / (l.earn_to - l.earn_from) ELSE 0 END AS unearned_start,
           CASE WHEN l.booked_on < m.ends
                THEN l.amount * (l.earn_to - greatest(l.earn_from, least(m.ends, l.earn_to)))
                     / (l.earn_to - l.earn_from) ELSE 0 END AS unearned_end
      FROM report.ledger l
      JOIN months m ON m.ends > least(l.earn_from, l.booked_on) AND m.starts <= greatest(l.earn_to - 1, l.booked_on)
     WHERE l.booked_on <= v
  ), grain AS (
    SELECT starts, policy_type, coverage_code, channel,
           sum(amount * booked_now) AS written, round(sum(earned), 2) AS earned,
           round(sum(unearned_start), 2) AS unearned_start, round(sum(unearned_end), 2) AS unearned_end,
           sum(tax_amount * booked_now) AS tax, sum(commission_amount * booked_now) AS commission
      FROM parts GROUP BY 1, 2, 3, 4
  )
  SELECT starts, policy_type, coverage_code, channel, written, earned,
         written - (unearned_end - unearned_start), unearned_start, unearned_end, tax, commission
    FROM grain
$$;

-- Grain: calendar_year, policy_type; premium earned by v, not rounded: what losses are divided by.
CREATE OR REPLACE FUNCTION report.earned_year(v date)
RETURNS TABLE (calendar_year integer, policy_type text, earned_premium numeric)
LANGUAGE sql STABLE AS $$
  SELECT y, l.policy_type,
         sum(l.amount * report.overlap_days(l.earn_from, l.earn_to, make_date(y, 1, 1),
                                            least(make_date(y + 1, 1, 1), v + 1)) / (l.earn_to - l.earn_from))
    FROM report.ledger l
   CROSS JOIN LATERAL generate_series(extract(year FROM l.earn_from)::int,
                                      extract(year FROM least(l.earn_to - 1, v))::int) AS y
   WHERE l.booked_on <= v
   GROUP BY 1, 2
$$;

-- A segment is on risk on [effective_from, effective_to), and no longer than its policy. Those that
-- never were (flat cancelled) are left out.
CREATE OR REPLACE VIEW report.segment AS
SELECT c.*, p.policy_number, coalesce(p.policy_type, 'UNKNOWN') AS policy_type, p.start_date, p.end_date,
       least(c.effective_to, coalesce(p.cancelled_on, c.effective_to)) AS on_risk_to
  FROM coverage c
  JOIN policy p USING (policy_id)
 WHERE p.status NOT IN ('QUOTED', 'DECLINED', 'NOT_TAKEN')   -- an offer has dates too, but is no cover
   AND c.effective_from < least(c.effective_to, coalesce(p.cancelled_on, c.effective_to));

-- Grain: coverage_id, calendar_year. Earned up to and including v; a full calendar year is exactly 1
-- unit on the calendar basis, a full term exactly 1 on the term basis.
CREATE OR REPLACE FUNCTION report.exposure_segment(v date)
RETURNS TABLE (coverage_id bigint, calendar_year integer, policy_id bigint, policy_type text, coverage_code text,
               earned_days integer, unit_count bigint, exposure float8, exposure_term_basis float8)
LANGUAGE sql STABLE AS $$
  SELECT s.coverage_id, y, s.policy_id, s.policy_type, s.coverage_code, d.days, s.unit_count,
         d.days::float8 / (make_date(y + 1, 1, 1) - make_date(y, 1, 1)) * s.unit_count,
         d.days::float8 / (s.end_date - s.start_date) * s.unit_count
    FROM report.segment s
   CROSS JOIN LATERAL generate_series(extract(year FROM s.effective_from)::int,
                                      extract(year FROM least(s.on_risk_to - 1, v))::int) AS y
   CROSS JOIN LATERAL (SELECT report.overlap_days(s.effective_from, least(s.on_risk_to, v + 1),
                                                  make_date(y, 1, 1), make_date(y + 1, 1, 1)) AS days) AS d
   WHERE d.days > 0
$$;

-- Grain: month_end, policy_type; every month end from the type's first start to v.
CREATE OR REPLACE FUNCTION report.inforce_month_end(v date)
RETURNS TABLE (month_end date, policy_type text, policies bigint, coverages bigint, vehicles bigint,
               in_force_premium numeric)
LANGUAGE sql STABLE AS $$
  SELECT d.month_end, first.policy_type, count(DISTINCT s.policy_number), count(s.coverage_id),
         coalesce(sum(s.unit_count), 0), coalesce(sum(s.annual_premium), 0)
    FROM (SELECT policy_type, min(effective_from) AS starts FROM report.segment GROUP BY 1) AS first
   CROSS JOIN LATERAL (
     SELECT (m + INTERVAL '1 month')::date - 1 AS month_end
       FROM generate_series(report.month_of(first.starts)::timestamp, v::timestamp, INTERVAL '1 month') AS m) AS d
    LEFT JOIN report.segment s
      ON s.policy_type = first.policy_type AND s.effective_from <= d.month_end AND s.on_risk_to > d.month_end
   WHERE d.month_end <= v AND first.starts <= v
   GROUP BY 1, 2
$$;
