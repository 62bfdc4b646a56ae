-- Cancellations and their refunds, and the change of mind that follows some of them.

CREATE UNLOGGED TABLE IF NOT EXISTS sim.cancelled (
  policy_id BIGINT PRIMARY KEY, booked_at TIMESTAMPTZ, cancel_on DATE, kind TEXT, reason TEXT);

-- FLAT inside the first fortnight if nothing has happened, else PRO_RATA or SHORT_RATE.
-- Who owes for sixty days is cancelled by us.
CREATE OR REPLACE PROCEDURE sim.take_cancellations(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.period_seed(d0);
BEGIN
  DELETE FROM sim.cancelled;
  INSERT INTO sim.cancelled
  WITH debtor AS MATERIALIZED (
    SELECT DISTINCT policy_id FROM invoice
     WHERE status = 'OVERDUE' AND amount > 0 AND due_date >= d0 - 160 AND due_date < d0 - 60)
  SELECT policy_id, sim.at(day, sim.u(s, 'gives notice at', policy_id)),
         CASE WHEN quiet AND day < start_date + 14 THEN start_date ELSE day END,
         CASE WHEN quiet AND day < start_date + 14 THEN 'FLAT'
              WHEN NOT owes AND policy_type IN ('MOTOR', 'HOME', 'TRAVEL')
                   AND sim.u(s, 'penalty', policy_id) < 0.3 THEN 'SHORT_RATE'
              ELSE 'PRO_RATA' END,
         CASE WHEN owes THEN 'NON_PAYMENT'
              WHEN policy_type IN ('LIFE', 'UNIT_LINKED') THEN 'SURRENDER'
              ELSE sim.pick(s, 'why', policy_id, '{CUSTOMER,CUSTOMER,SOLD,MOVED}') END
    FROM (
      SELECT p.policy_id, p.start_date, p.policy_type, debtor.policy_id IS NOT NULL AS owes,
             w.lo + floor((w.hi - w.lo) * sim.u(s, 'gives notice', p.policy_id))::int AS day,
             NOT EXISTS (SELECT FROM claim c WHERE c.policy_id = p.policy_id) AS quiet
        FROM policy p
        JOIN sim.product_terms t USING (product_id)
        LEFT JOIN debtor ON debtor.policy_id = p.policy_id
       CROSS JOIN LATERAL (SELECT greatest(d0, p.start_date) AS lo, least(d1, p.end_date) AS hi) AS w
       WHERE p.status = 'IN_FORCE' AND p.end_date > d0 AND w.hi > w.lo
         AND (debtor.policy_id IS NOT NULL
              OR sim.u(s, 'cancels', p.policy_id) < t.cancellation_rate * (w.hi - w.lo) / 365.0)
         AND NOT EXISTS (SELECT FROM policy n WHERE n.policy_number = p.policy_number AND n.term_no > p.term_no)
         AND NOT EXISTS (SELECT FROM sim.endorsed e WHERE e.policy_id = p.policy_id)
    ) AS leaving;
END $$;

-- The refund nets the ledger day by day: what is booked gives back its unearned days over those very
-- days, rounded once per cover. A short-rate penalty is ten per cent of it, earned on the day of cancellation.
CREATE OR REPLACE PROCEDURE sim.refund() LANGUAGE sql AS $$
  WITH unearned AS (
    SELECT x.policy_id, max(t.coverage_id) AS coverage_id, t.coverage_code,
           greatest(t.earn_from, x.cancel_on) AS earn_from, t.earn_to,
           -round(sum(t.amount * part.of_row), 2) AS amount, -round(sum(t.tax_amount * part.of_row), 2) AS tax,
           -round(sum(t.commission_amount * part.of_row), 2) AS commission
      FROM sim.cancelled x
      JOIN premium_transaction t USING (policy_id)
     CROSS JOIN LATERAL (SELECT (t.earn_to - greatest(t.earn_from, x.cancel_on))::numeric
                                / (t.earn_to - t.earn_from) AS of_row) AS part
     WHERE t.earn_to > x.cancel_on
     GROUP BY x.policy_id, t.coverage_code, greatest(t.earn_from, x.cancel_on), t.earn_to
  ), penalty AS (
    SELECT x.policy_id, min(u.coverage_id) AS coverage_id,
           (array_agg(u.coverage_code ORDER BY u.coverage_id))[1] AS coverage_code, x.cancel_on,
           -round(sum(u.amount) * 0.10, 2) AS amount, -round(sum(u.tax) * 0.10, 2) AS tax
      FROM sim.cancelled x JOIN unearned u USING (policy_id)
     WHERE x.kind = 'SHORT_RATE'
     GROUP BY x.policy_id, x.cancel_on
    HAVING sum(u.amount) < 0
  ), entries AS (
    SELECT policy_id, coverage_id, coverage_code, 'CANCELLATION' AS txn_type, amount, tax, commission,
           earn_from, earn_to
      FROM unearned WHERE amount <> 0 OR tax <> 0
    UNION ALL
    SELECT policy_id, coverage_id, coverage_code, 'PENALTY', amount, tax, 0, cancel_on, cancel_on + 1
      FROM penalty WHERE amount <> 0
  )
  INSERT INTO premium_transaction (policy_id, policy_version_id, coverage_id, coverage_code, txn_type,
      amount, tax_amount, commission_amount, earn_from, earn_to, booked_on)
  SELECT e.policy_id, v.policy_version_id, e.coverage_id, e.coverage_code, e.txn_type, e.amount, e.tax,
         e.commission, e.earn_from, e.earn_to, sim.day_of(v.booked_at)
    FROM entries e
    JOIN LATERAL (SELECT * FROM policy_version v WHERE v.policy_id = e.policy_id
                   ORDER BY version_no DESC LIMIT 1) AS v ON TRUE
   ORDER BY e.policy_id, e.txn_type, e.coverage_id, e.earn_from
$$;

CREATE OR REPLACE PROCEDURE sim.book_cancellations(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  CALL sim.take_cancellations(d0, d1);
  CALL sim.apply_cancellations();
END $$;

CREATE OR REPLACE PROCEDURE sim.apply_cancellations() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO policy_version (policy_id, version_no, txn_type, effective_date, booked_at, reason_code, annual_premium)
  SELECT x.policy_id, last.version_no + 1, 'CANCELLATION', x.cancel_on, x.booked_at, x.kind, last.annual_premium
    FROM sim.cancelled x
    JOIN LATERAL (SELECT version_no, annual_premium FROM policy_version v
                   WHERE v.policy_id = x.policy_id ORDER BY version_no DESC LIMIT 1) AS last ON TRUE
   ORDER BY x.booked_at, x.policy_id;
  CALL sim.refund();

  UPDATE coverage c SET effective_to = greatest(c.effective_from, x.cancel_on), updated_at = x.booked_at
    FROM sim.cancelled x WHERE x.policy_id = c.policy_id AND c.effective_to > x.cancel_on;
  UPDATE policy p
     SET status = 'CANCELLED', cancelled_on = x.cancel_on, cancel_reason = x.reason, updated_at = x.booked_at
    FROM sim.cancelled x WHERE x.policy_id = p.policy_id;
  UPDATE invoice i SET status = 'VOID', updated_at = x.booked_at
    FROM sim.cancelled x WHERE x.policy_id = i.policy_id AND i.status = 'OPEN' AND i.due_date > sim.day_of(x.booked_at);
  -- Units are paid out; the holding hangs on the contract's first term.
  UPDATE fund_unit f SET units = 0, updated_at = x.booked_at
    FROM sim.cancelled x
    JOIN policy p ON p.policy_id = x.policy_id
    JOIN policy first ON first.policy_number = p.policy_number AND first.term_no = 1
   WHERE first.policy_id = f.policy_id AND f.units <> 0;
  PERFORM sim.bill_difference((SELECT array_agg(policy_id) FROM sim.cancelled));
END $$;

-- One in eight who left without a penalty comes back within a month, without a gap: the refund is
-- booked back over the same days and new segments follow the old ones.
CREATE OR REPLACE PROCEDURE sim.book_reinstatements(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE
  s    bigint := sim.seed();
  back bigint[];
BEGIN
  SELECT array_agg(p.policy_id ORDER BY p.policy_id) INTO back
    FROM policy p
    JOIN policy_version v ON v.policy_id = p.policy_id AND v.txn_type = 'CANCELLATION' AND v.reason_code = 'PRO_RATA'
   CROSS JOIN LATERAL (SELECT sim.day_of(v.booked_at) + 5
                              + floor(20 * sim.u(s, 'returns on', p.policy_id))::int AS day) AS r
   WHERE p.status = 'CANCELLED' AND p.cancelled_on >= d0 - 60 AND p.cancel_reason IN ('CUSTOMER', 'NON_PAYMENT')
     AND r.day >= d0 AND r.day < d1 AND r.day < p.end_date - 40
     AND sim.u(s, 'returns', p.policy_id) < 0.12
     AND NOT EXISTS (SELECT FROM policy_version w WHERE w.policy_id = p.policy_id
                      AND (w.version_no > v.version_no OR w.txn_type = 'REINSTATEMENT'))   -- once is enough
     AND NOT EXISTS (SELECT FROM coverage c WHERE c.policy_id = p.policy_id AND c.effective_from >= p.cancelled_on);
  IF back IS NULL THEN RETURN; END IF;

  INSERT INTO policy_version (policy_id, version_no, txn_type, effective_date, booked_at, reason_code, annual_premium)
  SELECT v.policy_id, v.version_no + 1, 'REINSTATEMENT', v.effective_date,
         sim.at(sim.day_of(v.booked_at) + 5 + floor(20 * sim.u(s, 'returns on', v.policy_id))::int,
                sim.u(s, 'returns at', v.policy_id)),
         'NO_GAP', v.annual_premium
    FROM policy_version v
   WHERE v.policy_id = ANY (back) AND v.txn_type = 'CANCELLATION'
   ORDER BY v.policy_id;

  WITH successor AS (
    INSERT INTO coverage (policy_id, risk_object_id, coverage_code, limit_amount, deductible_amount,
                          effective_from, effective_to, annual_premium, unit_count, updated_at)
    SELECT c.policy_id, c.risk_object_id, c.coverage_code, c.limit_amount, c.deductible_amount, p.cancelled_on,
           p.end_date, c.annual_premium, c.unit_count, v.booked_at
      FROM policy p
      JOIN coverage c ON c.policy_id = p.policy_id
                     AND c.effective_to = p.cancelled_on AND c.effective_from < c.effective_to
      JOIN policy_version v ON v.policy_id = p.policy_id AND v.txn_type = 'REINSTATEMENT'
     WHERE p.policy_id = ANY (back)
     ORDER BY c.coverage_id
    RETURNING coverage_id, policy_id, coverage_code
  )
  INSERT INTO premium_transaction (policy_id, policy_version_id, coverage_id, coverage_code, txn_type,
      amount, tax_amount, commission_amount, earn_from, earn_to, booked_on)
  SELECT t.policy_id, r.policy_version_id, n.coverage_id, t.coverage_code, 'REINSTATEMENT', -t.amount,
         -t.tax_amount, -t.commission_amount, t.earn_from, t.earn_to, sim.day_of(r.booked_at)
    FROM premium_transaction t
    JOIN policy_version r ON r.policy_id = t.policy_id AND r.txn_type = 'REINSTATEMENT'
    LEFT JOIN successor n ON n.policy_id = t.policy_id AND n.coverage_code = t.coverage_code
   WHERE t.policy_id = ANY (back) AND t.txn_type = 'CANCELLATION'
   ORDER BY t.premium_txn_id;

  UPDATE policy p SET status = 'IN_FORCE', cancelled_on = NULL, cancel_reason = NULL, updated_at = v.booked_at
    FROM policy_version v
   WHERE v.policy_id = p.policy_id AND v.txn_type = 'REINSTATEMENT' AND p.policy_id = ANY (back);
  PERFORM sim.bill_difference(back);
END $$;

-- A death ends the contract on the next day; the heirs get the unearned premium back. The person's
-- other contracts run on in their hands until somebody asks.
CREATE OR REPLACE PROCEDURE sim.end_by_death(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM sim.cancelled;
  INSERT INTO sim.cancelled
  SELECT DISTINCT ON (p.policy_id) p.policy_id, c.reported_at,
         greatest(c.loss_date + 1, last.effective_date), 'PRO_RATA', 'DEATH'
    FROM claim c
    JOIN policy p USING (policy_id)
    JOIN LATERAL (SELECT effective_date FROM policy_version v WHERE v.policy_id = p.policy_id
                   ORDER BY version_no DESC LIMIT 1) AS last ON TRUE
   WHERE c.cause_code = 'DEATH' AND c.reported_at >= sim.at(d0, 0) AND c.reported_at < sim.at(d1, 0)
     AND p.status = 'IN_FORCE' AND greatest(c.loss_date + 1, last.effective_date) < p.end_date
     AND NOT EXISTS (SELECT FROM policy n WHERE n.policy_number = p.policy_number AND n.term_no > p.term_no)
   ORDER BY p.policy_id, c.claim_id;
  CALL sim.apply_cancellations();
  UPDATE party y SET status = 'DECEASED', updated_at = x.booked_at
    FROM sim.cancelled x JOIN policy p USING (policy_id)
   WHERE y.party_id = p.party_id AND y.status = 'ACTIVE' AND y.type = 'individual';
END $$;
