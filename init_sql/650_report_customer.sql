-- Customers and agents as at v.

-- The party in which a merged one lives on.
CREATE OR REPLACE VIEW report.survivor AS
WITH RECURSIVE chain AS (
  SELECT party_id, party_id AS survivor_id FROM party
  UNION
  SELECT c.party_id, p.merged_into_party_id
    FROM chain c JOIN party p ON p.party_id = c.survivor_id
   WHERE p.status = 'MERGED' AND p.merged_into_party_id IS NOT NULL
)
SELECT c.party_id, c.survivor_id
  FROM chain c JOIN party p ON p.party_id = c.survivor_id
 WHERE p.status <> 'MERGED' OR p.merged_into_party_id IS NULL;

-- Terms of a party, offers too; a term cancelled from its first day was never bound.
CREATE OR REPLACE VIEW report.customer_term AS
SELECT p.policy_id, s.survivor_id AS party_id, p.policy_number, p.term_no, p.start_date, p.agent_id,
       coalesce(r.line_of_business, p.policy_type) AS line, sim.day_of(p.quoted_at) AS quoted_on,
       CASE WHEN p.status NOT IN ('QUOTED', 'DECLINED', 'NOT_TAKEN') AND coalesce(p.cancelled_on > p.start_date, TRUE)
            THEN coalesce(sim.day_of(p.bound_at), p.start_date) END AS bound_on
  FROM policy p
  JOIN report.survivor s USING (party_id)
  LEFT JOIN product r USING (product_id);

-- Grain: party_id, of parties that have bound a term by v and are not erased.
CREATE OR REPLACE FUNCTION report.customer_360(v date)
RETURNS TABLE (party_id bigint, policies_in_force bigint, distinct_lines bigint, in_force_premium numeric,
               tenure_years integer, channel text, claims_36m bigint, incurred_36m numeric, last_contact_on date,
               overdue_invoices bigint, next_expiry_on date, earned_premium_36m numeric, terms_36m bigint,
               last_bound_or_paid_on date)
LANGUAGE sql STABLE AS $$
  WITH term AS MATERIALIZED (SELECT * FROM report.customer_term
  ), settled AS (   -- what had been paid of an invoice at its best moment up to v
    SELECT r.invoice_id, max(r.so_far) AS paid
      FROM (SELECT invoice_id, sum(amount) OVER (PARTITION BY invoice_id ORDER BY paid_at, payment_id) AS so_far
              FROM payment WHERE status = 'SETTLED' AND sim.day_of(paid_at) <= v) AS r
     GROUP BY 1
  ), customer AS (
    SELECT t.party_id, min(t.start_date) AS first_start,
           count(*) FILTER (WHERE t.start_date > v - INTERVAL '36 months' AND t.start_date <= v) AS terms,
           (array_agg(coalesce(a.channel, 'UNKNOWN') ORDER BY t.bound_on DESC, t.policy_id DESC))[1] AS channel
      FROM term t LEFT JOIN agent a USING (agent_id)
     WHERE t.bound_on <= v GROUP BY 1
  ), held AS (
    SELECT t.party_id, count(DISTINCT s.policy_number) AS policies, count(DISTINCT t.line) AS lines,
           sum(s.annual_premium) AS premium, max(t.term_no) AS term_no, min(s.end_date) AS expiry
      FROM report.segment s JOIN term t USING (policy_id)
     WHERE s.effective_from <= v AND s.on_risk_to > v GROUP BY 1
  ), lost AS (
    SELECT t.party_id, count(*) AS claims, sum(c.incurred) AS incurred
      FROM report.claim_position(v) AS c JOIN term t USING (policy_id)
     WHERE c.loss_date > v - INTERVAL '36 months' AND c.loss_date <= v GROUP BY 1
  ), earned AS (
    SELECT t.party_id, sum(l.amount * report.overlap_days(l.earn_from, l.earn_to,
             (v - INTERVAL '36 months')::date + 1, v + 1) / (l.earn_to - l.earn_from)) AS premium
      FROM premium_transaction l JOIN term t USING (policy_id)
     WHERE l.booked_on <= v GROUP BY 1
  ), owed AS (
    SELECT t.party_id, count(*) AS invoices
      FROM invoice i JOIN term t USING (policy_id) LEFT JOIN settled s USING (invoice_id)
     WHERE i.amount > 0 AND i.due_date < v AND i.status <> 'VOID' AND coalesce(s.paid, 0) < i.amount
       AND NOT (i.status = 'WRITTEN_OFF' AND sim.day_of(i.updated_at) <= v) GROUP BY 1
  ), event AS (
    SELECT t.party_id, t.quoted_on AS contact, NULL::date AS money FROM term t WHERE t.term_no = 1
    UNION ALL SELECT t.party_id, t.bound_on, t.bound_on FROM term t
    UNION ALL SELECT t.party_id, sim.day_of(n.booked_at), NULL FROM policy_version n JOIN term t USING (policy_id)
               WHERE n.txn_type IN ('ENDORSEMENT', 'CANCELLATION', 'REINSTATEMENT')
    UNION ALL SELECT t.party_id, sim.day_of(c.reported_at), NULL FROM claim c JOIN term t USING (policy_id)
    UNION ALL SELECT t.party_id, NULL, sim.day_of(p.paid_at) FROM payment p JOIN term t USING (policy_id)
               WHERE p.status = 'SETTLED' AND p.amount > 0
  ), latest AS (
    SELECT e.party_id, max(contact) FILTER (WHERE contact <= v) AS contact, max(money) FILTER (WHERE money <= v) AS money
      FROM event e GROUP BY 1
  )
  SELECT c.party_id, coalesce(h.policies, 0), coalesce(h.lines, 0), coalesce(h.premium, 0),
         greatest(h.term_no, sim.years_between(c.first_start, v), 0), c.channel, coalesce(l.claims, 0),
         coalesce(l.incurred, 0), e.contact, coalesce(o.invoices, 0), h.expiry, round(coalesce(n.premium, 0), 2),
         c.terms, coalesce(e.money, c.first_start)
    FROM customer c
    LEFT JOIN held h USING (party_id) LEFT JOIN lost l USING (party_id) LEFT JOIN earned n USING (party_id)
    LEFT JOIN owed o USING (party_id) LEFT JOIN latest e USING (party_id)
    LEFT JOIN party y USING (party_id)
   WHERE y.status IS DISTINCT FROM 'ERASED'
$$;

-- Grain: top_share_pct.
CREATE OR REPLACE FUNCTION report.concentration(v date)
RETURNS TABLE (top_share_pct integer, customers bigint, incurred numeric, share_of_total float8)
LANGUAGE sql STABLE AS $$
  WITH amount AS (
    SELECT c.party_id, coalesce(sum(p.incurred), 0) AS incurred
      FROM (SELECT DISTINCT t.party_id FROM report.customer_term t WHERE t.bound_on <= v) AS c
      LEFT JOIN report.customer_term t USING (party_id)
      LEFT JOIN report.claim_position(v) AS p USING (policy_id)
     GROUP BY 1
  ), ranked AS (
    SELECT a.incurred, row_number() OVER (ORDER BY a.incurred DESC, a.party_id) AS rank, count(*) OVER () AS n FROM amount a
  )
  SELECT q, count(*), sum(r.incurred),
         (sum(r.incurred) / nullif((SELECT sum(p.incurred) FROM report.claim_position(v) AS p), 0))::float8
    FROM (VALUES (1), (5), (10), (20)) AS top(q)
    JOIN ranked r ON r.rank <= ceil(r.n * q / 100.0)
   GROUP BY q
$$;

-- Grain: agent_id (null for what no agent sold), calendar_year.
CREATE OR REPLACE FUNCTION report.agent_scorecard(v date)
RETURNS TABLE (agent_id bigint, calendar_year integer, channel text, written_premium numeric, earned_premium numeric,
               expiring bigint, renewed bigint, renewal_ratio float8, claims bigint, incurred numeric,
               loss_ratio float8, commission numeric)
LANGUAGE sql STABLE AS $$
  WITH facts AS (
    SELECT p.agent_id, extract(year FROM t.booked_on)::int AS year, t.amount AS written, 0::numeric AS earned,
           t.commission_amount AS commission, 0 AS expiring, 0 AS renewed, 0 AS claims, 0::numeric AS incurred
      FROM premium_transaction t JOIN policy p USING (policy_id) WHERE t.booked_on <= v
    UNION ALL
    SELECT p.agent_id, y, 0, t.amount * report.overlap_days(t.earn_from, least(t.earn_to, v + 1), make_date(y, 1, 1),
             make_date(y + 1, 1, 1)) / (t.earn_to - t.earn_from), 0, 0, 0, 0, 0
      FROM premium_transaction t JOIN policy p USING (policy_id)
     CROSS JOIN LATERAL generate_series(extract(year FROM t.earn_from)::int,
                                        extract(year FROM least(t.earn_to - 1, v))::int) AS y
     WHERE t.booked_on <= v
    UNION ALL
    SELECT p.agent_id, extract(year FROM p.end_date)::int, 0, 0, 0, 1,
           CASE WHEN EXISTS (SELECT FROM policy n
                   WHERE n.policy_number = p.policy_number AND n.term_no = p.term_no + 1
                     AND coalesce(sim.day_of(n.bound_at) <= v, TRUE)
                     AND n.status NOT IN ('QUOTED', 'DECLINED', 'NOT_TAKEN')
                     AND coalesce(n.cancelled_on > n.start_date, TRUE)) THEN 1 ELSE 0 END, 0, 0
      FROM policy p
     WHERE p.status NOT IN ('QUOTED', 'DECLINED', 'NOT_TAKEN') AND p.end_date <= v
       AND coalesce(p.cancelled_on >= p.end_date, TRUE)
    UNION ALL   -- a term that was left inside opens its row, and counts nothing
    SELECT p.agent_id, extract(year FROM p.end_date)::int, 0, 0, 0, 0, 0, 0, 0 FROM policy p
     WHERE p.cancelled_on > p.start_date AND p.cancelled_on < p.end_date AND p.end_date <= v
    UNION ALL
    SELECT p.agent_id, c.accident_year, 0, 0, 0, 0, 0, 1, c.incurred
      FROM report.claim_position(v) AS c LEFT JOIN policy p USING (policy_id)
  )
  SELECT f.agent_id, f.year, coalesce(a.channel, 'UNKNOWN'), sum(f.written), round(sum(f.earned), 2), sum(f.expiring),
         sum(f.renewed), sum(f.renewed) / nullif(sum(f.expiring), 0)::float8, sum(f.claims), sum(f.incurred),
         (sum(f.incurred) / nullif(round(sum(f.earned), 2), 0))::float8, sum(f.commission)
    FROM facts f LEFT JOIN agent a USING (agent_id)
   GROUP BY f.agent_id, f.year, a.channel
$$;
