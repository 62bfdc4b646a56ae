-- Invoices meet customers: most pay on the day, some late, some by halves, some by a debit that bounces.

-- What becomes of an invoice if nobody interferes: one row per attempt to pay. A pure function of the
-- invoice, so a month lived at once and a month lived by days collect the same money on the same days.
CREATE OR REPLACE VIEW sim.payment_attempt AS
SELECT i.invoice_id, i.policy_id, i.status AS invoice_status, i.due_date, a.part,
       i.due_date + a.after_days AS paid_on, a.outcome, a.method,
       CASE a.part WHEN 0 THEN i.amount WHEN 1 THEN round(i.amount * a.share, 2)
                   ELSE i.amount - round(i.amount * 0.5, 2) END AS amount
  FROM invoice i
 CROSS JOIN sim.book b
 CROSS JOIN LATERAL (SELECT sim.u(b.seed, 'pays', i.invoice_id) AS u,
                            floor(33 * sim.u(b.seed, 'pays late', i.invoice_id))::int AS late
                     OFFSET 0) AS c   -- a fence: drawn once, not once a branch
 CROSS JOIN LATERAL (
   SELECT 1 AS part, floor(c.u * 3)::int AS after_days, 'SETTLED' AS outcome, 1.0 AS share,
          'DIRECT_DEBIT' AS method WHERE c.u < 0.87 AND i.amount > 0
   UNION ALL SELECT 1, 2 + c.late, 'SETTLED', 1.0, 'TRANSFER'  WHERE c.u >= 0.87  AND c.u < 0.945 AND i.amount > 0
   UNION ALL SELECT 1, 1,          'SETTLED', 0.5, 'TRANSFER'  WHERE c.u >= 0.945 AND c.u < 0.968 AND i.amount > 0
   UNION ALL SELECT 2, 24,         'SETTLED', 0.5, 'TRANSFER'  WHERE c.u >= 0.945 AND c.u < 0.965 AND i.amount > 0
   UNION ALL SELECT 0, 0,          'BOUNCED', 1.0, 'DIRECT_DEBIT' WHERE c.u >= 0.968 AND i.amount > 0
   UNION ALL SELECT 1, 16,         'SETTLED', 1.0, 'CARD'      WHERE c.u >= 0.968 AND c.u < 0.998 AND i.amount > 0
   UNION ALL SELECT 1, 0,          'SETTLED', 1.0, 'REFUND'    WHERE i.amount < 0
 ) AS a;

-- A bank says within three days that a debit has bounced; until then the payment is PENDING.
CREATE OR REPLACE PROCEDURE sim.collect(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.seed();
BEGIN
  WITH received AS (
    INSERT INTO payment (invoice_id, policy_id, payer_party_id, paid_at, amount, method,
                         bank_account_token, status, updated_at)
    SELECT a.invoice_id, a.policy_id, p.party_id, m.moment, a.amount, a.method,
           CASE WHEN a.method <> 'CARD' THEN sim.token('party ' || p.party_id) END,
           CASE WHEN a.outcome = 'BOUNCED' AND a.paid_on + 3 >= d1 THEN 'PENDING' ELSE a.outcome END, m.moment
      FROM sim.payment_attempt a
      JOIN policy p USING (policy_id)
     CROSS JOIN LATERAL (SELECT sim.at(a.paid_on, sim.u(s, 'pays at', a.invoice_id)) AS moment) AS m
     WHERE a.due_date >= d0 - 40 AND a.due_date < d1 AND a.paid_on >= d0 AND a.paid_on < d1
       AND a.invoice_status IN ('OPEN', 'PART_PAID', 'OVERDUE')
     ORDER BY m.moment, a.invoice_id, a.part
    RETURNING invoice_id, amount, status, paid_at)
  UPDATE invoice i
     SET status = CASE WHEN i.amount = r.amount + coalesce(earlier.amount, 0) THEN 'PAID'
                       WHEN i.status = 'OVERDUE' THEN 'OVERDUE' ELSE 'PART_PAID' END,
         updated_at = r.paid_at
    FROM (SELECT invoice_id, sum(amount) AS amount, max(paid_at) AS paid_at
            FROM received WHERE status = 'SETTLED' GROUP BY invoice_id) AS r
    LEFT JOIN LATERAL (SELECT sum(p.amount) AS amount FROM payment p
                        WHERE p.invoice_id = r.invoice_id AND p.status = 'SETTLED') AS earlier ON TRUE
   WHERE i.invoice_id = r.invoice_id;

  UPDATE payment SET status = 'BOUNCED', updated_at = paid_at + INTERVAL '3 days'
   WHERE status = 'PENDING' AND paid_at < sim.at(d1 - 3, 0);
END $$;

-- Reminders after ten days; after 150 we stop believing.
CREATE OR REPLACE PROCEDURE sim.dun(d0 date, d1 date) LANGUAGE sql AS $$
  UPDATE invoice SET status = 'OVERDUE', updated_at = sim.at(greatest(d0, due_date + 11), 1)
   WHERE status IN ('OPEN', 'PART_PAID') AND due_date >= d0 - 11 AND due_date < d1 - 11 AND amount > 0;
  UPDATE invoice SET status = 'WRITTEN_OFF', updated_at = sim.at(greatest(d0, due_date + 151), 1)
   WHERE status = 'OVERDUE' AND due_date >= d0 - 151 AND due_date < d1 - 151;
$$;
