-- Rows that break a rule which only warns, as at v. Rules on what DMS delivers, or on exchange rates, are not for SQL here.
-- Grain: day on which the source wrote the rows, table_name, rule.
CREATE OR REPLACE FUNCTION report.dq_metric(v date)
RETURNS TABLE (day date, table_name text, rule text, failed bigint, amount_at_stake numeric)
LANGUAGE sql STABLE AS $$
  WITH position AS MATERIALIZED (SELECT * FROM report.claim_position(v)
  ), balance AS (
    SELECT t.*, c.loss_date,
           sum(CASE t.txn_type WHEN 'PAYMENT' THEN t.amount ELSE 0 END) OVER booked AS paid,
           sum(CASE t.txn_type WHEN 'RESERVE' THEN t.amount ELSE 0 END) OVER booked AS reserve
      FROM claim_transaction t LEFT JOIN claim c USING (claim_id)
    WINDOW booked AS (PARTITION BY t.claim_id ORDER BY t.accounting_date, t.claim_txn_id)
  ), version AS (
    SELECT n.*, row_number() OVER (PARTITION BY n.policy_id ORDER BY n.version_no) AS position FROM policy_version n
  ), followed AS (
    SELECT g.*, lead(g.effective_from) OVER (PARTITION BY g.policy_id, g.risk_object_id, g.coverage_code
                                             ORDER BY g.effective_from, g.coverage_id) AS next_from
      FROM coverage g
  ), price AS (
    SELECT f.*, lag(f.bid_price) OVER w AS before, lead(f.price_date) OVER w IS NULL AS is_last
      FROM fund_price f WHERE f.price_date <= v WINDOW w AS (PARTITION BY f.fund_code ORDER BY f.price_date)
  ), broken AS (
    SELECT sim.day_of(p.updated_at) AS day, 'party' AS table_name, r.rule, NULL::numeric AS amount
      FROM party p CROSS JOIN LATERAL (VALUES ('type known', p.type IS NULL),
        ('born in the past', p.birth_date > sim.day_of(p.updated_at) AND p.status <> 'ERASED')) AS r(rule, breaks) WHERE r.breaks
    UNION ALL
    SELECT sim.day_of(a.updated_at), 'party_address', 'validity not reversed', NULL FROM party_address a WHERE a.valid_to < a.valid_from
    UNION ALL
    SELECT sim.day_of(p.updated_at), 'policy', r.rule, NULL
      FROM policy p CROSS JOIN LATERAL (VALUES ('term not reversed', p.end_date <= p.start_date),
        ('status agrees with dates', CASE WHEN p.status = 'CANCELLED' THEN p.cancelled_on IS NULL
           ELSE p.status IN ('QUOTED', 'DECLINED', 'NOT_TAKEN') AND (p.bound_at IS NOT NULL OR p.cancelled_on IS NOT NULL) END),
        ('cancelled inside term', p.cancelled_on NOT BETWEEN p.start_date AND p.end_date)) AS r(rule, breaks) WHERE r.breaks
    UNION ALL
    SELECT sim.day_of(n.booked_at), 'policy_version', r.rule, abs(n.annual_premium)
      FROM version n JOIN policy p USING (policy_id)
     CROSS JOIN LATERAL (VALUES ('versions without gap', n.version_no <> n.position),
       ('inside the term', NOT n.effective_date BETWEEN p.start_date AND p.end_date)) AS r(rule, breaks) WHERE r.breaks
    UNION ALL
    SELECT sim.day_of(o.updated_at), 'risk_object', r.rule, NULL
      FROM risk_object o CROSS JOIN LATERAL (VALUES
        ('model year plausible', o.model_year > extract(year FROM sim.day_of(o.updated_at)) + 1),
        ('driver of age', o.driver_birth_date + INTERVAL '204 months' > o.valid_from)) AS r(rule, breaks) WHERE r.breaks
    UNION ALL
    SELECT sim.day_of(g.updated_at), 'coverage', r.rule, abs(g.annual_premium)
      FROM followed g JOIN policy p USING (policy_id)
     CROSS JOIN LATERAL (VALUES ('segment not empty', g.effective_to <= g.effective_from),
       ('segments do not overlap', g.effective_from <> g.effective_to AND g.next_from < g.effective_to),
       ('inside the term', g.effective_from < p.start_date OR g.effective_to > p.end_date)) AS r(rule, breaks) WHERE r.breaks
    UNION ALL
    SELECT t.booked_on, 'premium_transaction', r.rule, abs(t.amount)
      FROM premium_transaction t JOIN policy p USING (policy_id)
     CROSS JOIN LATERAL (VALUES
       ('sign agrees with transaction', CASE WHEN t.txn_type = 'CANCELLATION' THEN t.amount > 0
          ELSE t.txn_type IN ('NEW', 'RENEWAL') AND t.amount < 0 END),
       ('inside the term', t.earn_from < p.start_date OR t.earn_to > p.end_date)) AS r(rule, breaks) WHERE r.breaks
    UNION ALL
    SELECT sim.day_of(i.updated_at), 'invoice', 'not overpaid', abs(s.settled - greatest(i.amount, 0))
      FROM invoice i JOIN (SELECT invoice_id, sum(amount) AS settled FROM payment WHERE status = 'SETTLED' GROUP BY 1) AS s
        USING (invoice_id) WHERE s.settled > greatest(i.amount, 0)
    UNION ALL
    SELECT sim.day_of(y.updated_at), 'payment', 'invoice named', abs(y.amount) FROM payment y WHERE y.invoice_id IS NULL
    UNION ALL
    SELECT sim.day_of(c.updated_at), 'claim', r.rule, CASE WHEN r.crosses THEN abs(p.incurred) END
      FROM claim c LEFT JOIN position p USING (claim_id)
     CROSS JOIN LATERAL (SELECT min(t.accounting_date) AS day FROM claim_transaction t WHERE t.claim_id = c.claim_id) AS first
     CROSS JOIN LATERAL (VALUES ('policy named', FALSE, c.policy_id IS NULL), ('policy known', TRUE, c.policy_id IS NULL),
       ('loss before report', FALSE, c.loss_date > sim.day_of(c.reported_at)),
       ('loss inside cover', TRUE, c.policy_id IS NOT NULL AND NOT EXISTS (SELECT FROM report.segment s
          WHERE s.policy_number = p.policy_number AND s.effective_from <= c.loss_date AND c.loss_date < s.on_risk_to)),
       ('closed without reserve', TRUE, p.status = 'CLOSED' AND p.case_reserve <> 0),
       ('booked in time', TRUE, least(v, first.day) > sim.day_of(c.reported_at) + 30)) AS r(rule, crosses, breaks)
     WHERE r.breaks
    UNION ALL
    SELECT b.accounting_date, 'claim_transaction', r.rule, abs(b.amount)
      FROM balance b CROSS JOIN LATERAL (VALUES
        ('payments stored positive', b.txn_type IN ('PAYMENT', 'RECOVERY') AND b.amount < 0 AND b.reverses_txn_id IS NULL),
        ('booked after the loss', b.accounting_date < b.loss_date), ('paid not negative', b.txn_type = 'PAYMENT' AND b.paid < 0),
        ('case reserve not negative', b.txn_type = 'RESERVE' AND b.reserve < 0)) AS r(rule, breaks) WHERE r.breaks
    UNION ALL
    SELECT f.price_date, 'fund_price', r.rule, NULL
      FROM price f CROSS JOIN LATERAL (VALUES ('price moves little', abs(f.bid_price - f.before) > 0.20 * abs(f.before)),
        ('price not stale', f.is_last AND v - f.price_date > 5)) AS r(rule, breaks) WHERE r.breaks
  )
  SELECT b.day, b.table_name, b.rule, count(*), sum(b.amount) FROM broken b GROUP BY 1, 2, 3
$$;
