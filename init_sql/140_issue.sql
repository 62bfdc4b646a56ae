-- What the system books when cover is bound, for new business and renewals alike: a version, its
-- coverage segments, the written premium, and the invoices that collect it.

CREATE OR REPLACE PROCEDURE sim.issue(d0 date) LANGUAGE plpgsql AS $$
BEGIN
  WITH bound AS (
    SELECT p.*, pr.term_months, t.tax_rate, coalesce(c.commission, 0) AS commission
      FROM policy p
      JOIN product pr USING (product_id)
      JOIN sim.product_terms t USING (product_id)
      LEFT JOIN agent a ON a.agent_id = p.agent_id
      LEFT JOIN sim.channel c ON c.channel = a.channel
     WHERE p.status = 'BOUND' AND p.quoted_at >= sim.at(d0 - 45, 0)
       AND NOT EXISTS (SELECT FROM policy_version v WHERE v.policy_id = p.policy_id)
  ), offer AS (
    DELETE FROM sim.offer o USING bound b WHERE b.policy_id = o.policy_id RETURNING o.*
  ), version AS (
    INSERT INTO policy_version (policy_id, version_no, txn_type, effective_date, booked_at, annual_premium)
    SELECT b.policy_id, 1, CASE b.term_no WHEN 1 THEN 'NEW' ELSE 'RENEWAL' END, b.start_date, b.bound_at,
           priced.annual_premium
      FROM bound b
      JOIN (SELECT policy_id, sum(annual_premium) AS annual_premium
              FROM offer GROUP BY policy_id) AS priced USING (policy_id)
     ORDER BY b.bound_at, b.policy_id
    RETURNING policy_version_id, policy_id, txn_type
  ), cover AS (
    INSERT INTO coverage (policy_id, risk_object_id, coverage_code, limit_amount, deductible_amount,
                          effective_from, effective_to, annual_premium, unit_count, updated_at)
    SELECT b.policy_id, o.risk_object_id, o.coverage_code, o.limit_amount, o.deductible_amount,
           b.start_date, b.end_date, o.annual_premium, o.unit_count, b.bound_at
      FROM bound b JOIN offer o USING (policy_id)
     ORDER BY b.bound_at, b.policy_id, o.coverage_code
    RETURNING coverage_id, policy_id, coverage_code, annual_premium
  ), written AS (
    INSERT INTO premium_transaction (policy_id, policy_version_id, coverage_id, coverage_code, txn_type,
        amount, tax_amount, commission_amount, earn_from, earn_to, booked_on)
    SELECT b.policy_id, v.policy_version_id, c.coverage_id, c.coverage_code, v.txn_type,
           m.amount, round(m.amount * b.tax_rate, 2), round(m.amount * b.commission, 2),
           b.start_date, b.end_date, sim.day_of(b.bound_at)
      FROM cover c
      JOIN version v USING (policy_id)
      JOIN bound b USING (policy_id)
     CROSS JOIN LATERAL (SELECT round(c.annual_premium * b.term_months / 12, 2) AS amount) AS m
     ORDER BY c.coverage_id
    RETURNING policy_id, amount + tax_amount AS gross
  )
  INSERT INTO invoice (policy_id, due_date, amount, status, updated_at)
  SELECT b.policy_id, (greatest(b.start_date, sim.day_of(b.bound_at)) + k * (12 / n) * INTERVAL '1 month')::date,
         -- Equal instalments to the cent; what does not divide is paid with the first.
         trunc(total / n, 2) + CASE k WHEN 0 THEN total - n * trunc(total / n, 2) ELSE 0 END,
         'OPEN', b.bound_at
    FROM (SELECT policy_id, sum(gross) AS total FROM written GROUP BY policy_id) AS due
    JOIN bound b USING (policy_id)
   CROSS JOIN LATERAL (SELECT CASE b.payment_plan WHEN 'MONTHLY' THEN 12 WHEN 'QUARTERLY' THEN 4
                              ELSE 1 END AS n) AS plan
   CROSS JOIN LATERAL generate_series(0, n - 1) AS k
   WHERE total > 0
   ORDER BY b.bound_at, b.policy_id, k;
END $$;

-- One more invoice so that what is billed equals what is written, tax included: a demand after an
-- endorsement or reinstatement, a credit (negative, paid out) after a cancellation.
CREATE OR REPLACE FUNCTION sim.bill_difference(policies bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO invoice (policy_id, due_date, amount, status, updated_at)
  SELECT p.policy_id, sim.day_of(last.booked_at) + 14, written.total - coalesce(billed.total, 0), 'OPEN', last.booked_at
    FROM unnest(policies) AS p(policy_id)
    JOIN LATERAL (SELECT max(booked_at) AS booked_at FROM policy_version v
                   WHERE v.policy_id = p.policy_id) AS last ON last.booked_at IS NOT NULL
    JOIN LATERAL (SELECT sum(amount + tax_amount) AS total FROM premium_transaction t
                   WHERE t.policy_id = p.policy_id) AS written ON TRUE
    LEFT JOIN LATERAL (SELECT sum(amount) AS total FROM invoice i
                        WHERE i.policy_id = p.policy_id AND i.status <> 'VOID') AS billed ON TRUE
   WHERE written.total <> coalesce(billed.total, 0)
   ORDER BY p.policy_id
$$;
