-- The life of a claim, drawn when it is reported. The ultimate cost is known to the simulation only:
-- the adjuster's first reserve misses it, a review corrects it, payments eat it, and the claim closes
-- on the day its reserve is exactly zero.

CREATE OR REPLACE VIEW sim.claim_fate AS
SELECT c.claim_id, c.policy_id, sim.day_of(c.reported_at) AS opened_on, l.amount AS ultimate, l.ring, c.at_fault_pct,
       c.coverage_id, l.coverage_code, d.outcome,
       round(l.amount * (0.55 + 0.8 * sim.u(s.seed, 'first guess', c.claim_id))::numeric, 2) AS first_reserve,
       CASE WHEN l.amount > 1500 THEN round(l.amount * 0.06, 2) ELSE 0 END AS expense,
       d.days, CASE WHEN l.amount < 2500 THEN 1 WHEN l.amount < 15000 THEN 2 ELSE 4 END AS payments,
       CASE WHEN d.outcome = 'PAID' AND ((l.coverage_code = 'COLL' AND c.at_fault_pct = 0) OR
                 (l.coverage_code IN ('THEFT', 'BUILDING') AND sim.u(s.seed, 'recovers', c.claim_id) < 0.15))
            THEN round(l.amount * (0.3 + 0.5 * sim.u(s.seed, 'how much back', c.claim_id))::numeric, 2) END AS recovery,
       d.outcome = 'PAID' AND sim.u(s.seed, 'reopens', c.claim_id) < 0.05 AS reopens,
       d.outcome = 'PAID' AND sim.u(s.seed, 'paid twice', c.claim_id) < 0.025 AS paid_twice
  FROM claim c
  JOIN sim.loss l USING (claim_id)
  JOIN policy p ON p.policy_id = c.policy_id
  JOIN coverage v ON v.coverage_id = c.coverage_id
  JOIN sim.tariff t ON t.product_id = p.product_id AND t.coverage_code = l.coverage_code
 CROSS JOIN (SELECT seed FROM sim.book) AS s
 CROSS JOIN LATERAL (
   SELECT CASE WHEN NOT EXISTS (SELECT FROM coverage k WHERE k.policy_id = c.policy_id AND k.coverage_code = l.coverage_code
                                  AND k.effective_from <= c.loss_date AND k.effective_to > c.loss_date) THEN 'REJECTED'
               WHEN sim.u(s.seed, 'fate', c.claim_id) < 0.04 THEN 'REJECTED'
               WHEN sim.u(s.seed, 'fate', c.claim_id) < 0.08 THEN 'WITHDRAWN'
               WHEN sim.u(s.seed, 'fate', c.claim_id) < 0.14 THEN 'NOTHING' ELSE 'PAID' END AS outcome,
          -- Dear claims take longer.
          greatest(3, t.settle_days * 0.7 * exp(0.7 * sim.normal(s.seed, 'takes', c.claim_id))
                      * power(l.amount::float8 / t.severity, 0.25))::int AS days) AS d;

CREATE OR REPLACE PROCEDURE sim.plan_claims(after_claim_id bigint) LANGUAGE plpgsql AS $$
BEGIN
  WITH f AS MATERIALIZED (SELECT * FROM sim.claim_fate WHERE claim_id > after_claim_id)
  INSERT INTO sim.claim_step (claim_id, seq, due_on, kind, component, amount, outcome, reverses_seq)
  SELECT f.claim_id, step.seq, f.opened_on + greatest(0, step.after), step.kind, step.component, step.amount, step.outcome, step.reverses
    FROM f
   CROSS JOIN LATERAL (
     -- Set up.
     SELECT 10 AS seq, 0 AS after, 'RESERVE' AS kind, 'INDEMNITY' AS component, f.first_reserve AS amount, NULL AS outcome, NULL::int AS reverses
     UNION ALL SELECT 11, 0, 'RESERVE', 'EXPENSE', f.expense, NULL, NULL WHERE f.expense > 0
     -- Review: strengthened or released to what it will really cost, half way.
     UNION ALL SELECT 20, f.days * 3 / 10, 'RESERVE', 'INDEMNITY', f.ultimate - f.first_reserve, NULL, NULL
      WHERE f.outcome = 'PAID' AND f.ultimate <> f.first_reserve
     UNION ALL SELECT 21, f.days * 3 / 10, 'RECOVERY_RESERVE', 'INDEMNITY', -f.recovery, NULL, NULL WHERE f.recovery IS NOT NULL
     -- Payments in equal parts, the last takes the cents; each eats its reserve.
     UNION ALL SELECT 100 + 10 * k + e, f.days * (3 * f.payments + 7 * k) / (10 * f.payments), CASE e WHEN 0 THEN 'PAYMENT' ELSE 'RESERVE' END, 'INDEMNITY',
            CASE e WHEN 0 THEN 1 ELSE -1 END * CASE WHEN k < f.payments THEN trunc(f.ultimate / f.payments, 2)
                 ELSE f.ultimate - (f.payments - 1) * trunc(f.ultimate / f.payments, 2) END, NULL, NULL
       FROM generate_series(1, f.payments) AS k, generate_series(0, 1) AS e WHERE f.outcome = 'PAID'
     -- The clerk presses the button twice, and the next day takes it back.
     UNION ALL SELECT 112, f.days * (3 * f.payments + 7) / (10 * f.payments), 'PAYMENT', 'INDEMNITY', trunc(f.ultimate / f.payments, 2), NULL, NULL WHERE f.paid_twice
     UNION ALL SELECT 113, f.days * (3 * f.payments + 7) / (10 * f.payments) + 1, 'PAYMENT', 'INDEMNITY', -trunc(f.ultimate / f.payments, 2), NULL, 112 WHERE f.paid_twice
     -- The end: expense, recovery, release of what is left, closed.
     UNION ALL SELECT 800, f.days + 1, 'PAYMENT', 'EXPENSE', f.expense, NULL, NULL WHERE f.expense > 0 AND f.outcome = 'PAID'
     UNION ALL SELECT 801, f.days + 1, 'RESERVE', 'EXPENSE', -f.expense, NULL, NULL WHERE f.expense > 0
     UNION ALL SELECT 810, f.days + 1, 'RESERVE', 'INDEMNITY', -f.first_reserve, NULL, NULL WHERE f.outcome <> 'PAID'
     UNION ALL SELECT 820, f.days + 1, 'RECOVERY', 'INDEMNITY', f.recovery, CASE f.coverage_code WHEN 'THEFT' THEN 'SALVAGE' ELSE 'SUBROGATION' END, NULL WHERE f.recovery IS NOT NULL
     UNION ALL SELECT 821, f.days + 1, 'RECOVERY_RESERVE', 'INDEMNITY', f.recovery, NULL, NULL WHERE f.recovery IS NOT NULL
     UNION ALL SELECT 890, f.days + 1, 'STATUS', 'INDEMNITY', NULL, CASE WHEN f.outcome IN ('PAID', 'NOTHING') THEN 'CLOSED' ELSE f.outcome END, NULL
     -- And not quite the end.
     UNION ALL SELECT 900, f.days + 80, 'STATUS', 'INDEMNITY', NULL, 'REOPENED', NULL WHERE f.reopens
     UNION ALL SELECT 901, f.days + 80, 'RESERVE', 'INDEMNITY', round(f.ultimate * 0.25, 2) + 1, NULL, NULL WHERE f.reopens
     UNION ALL SELECT 910, f.days + 140, 'PAYMENT', 'INDEMNITY', round(f.ultimate * 0.25, 2) + 1, NULL, NULL WHERE f.reopens
     UNION ALL SELECT 911, f.days + 140, 'RESERVE', 'INDEMNITY', -round(f.ultimate * 0.25, 2) - 1, NULL, NULL WHERE f.reopens
     UNION ALL SELECT 990, f.days + 140, 'STATUS', 'INDEMNITY', NULL, 'CLOSED', NULL WHERE f.reopens
   ) AS step;

  -- Investigators are sent most rings and some honest people; only the first are confirmed.
  INSERT INTO sim.claim_step (claim_id, seq, due_on, kind, outcome)
  SELECT f.claim_id, x.seq, f.opened_on + x.after, 'SIU', x.outcome
    FROM (SELECT c.claim_id, sim.day_of(c.reported_at) AS opened_on, l.ring
            FROM claim c JOIN sim.loss l USING (claim_id) CROSS JOIN sim.book b
           WHERE c.claim_id > after_claim_id
             AND sim.u(b.seed, 'suspected', c.claim_id) < CASE WHEN l.ring IS NULL THEN 0.02 ELSE 0.85 END) AS f
   CROSS JOIN LATERAL (VALUES (1, 6, 'REFERRED'), (2, 50, CASE WHEN f.ring IS NULL THEN 'CLEARED' ELSE 'CONFIRMED' END)) AS x(seq, after, outcome);
END $$;
