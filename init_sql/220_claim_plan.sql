-- The life of a claim, drawn when it is reported. The ultimate cost is known to the simulation only:
-- the adjuster's first reserve misses it, a review corrects it, payments eat it, and the claim closes
-- on the day its reserve is exactly zero. `seq` orders the steps of a claim within a day.

CREATE UNLOGGED TABLE IF NOT EXISTS sim.fate (
  claim_id BIGINT PRIMARY KEY, opened_on DATE, ring INTEGER, outcome TEXT, ultimate NUMERIC(14,2),
  first_reserve NUMERIC(14,2), expense NUMERIC(14,2), days INTEGER, payments INTEGER,
  recovery NUMERIC(14,2), recovery_type TEXT, reopens BOOLEAN, paid_twice BOOLEAN);

CREATE OR REPLACE PROCEDURE sim.draw_fates(after_claim_id bigint) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.seed();
BEGIN
  DELETE FROM sim.fate;
  INSERT INTO sim.fate
  SELECT c.claim_id, sim.day_of(c.reported_at), l.ring, luck.outcome, l.amount,
         round(l.amount * (0.55 + 0.8 * sim.u(s, 'first guess', c.claim_id))::numeric, 2),
         CASE WHEN l.amount > 1500 THEN round(l.amount * 0.06, 2) ELSE 0 END,
         -- Dear claims take longer.
         greatest(3, t.settle_days * 0.7 * exp(0.7 * sim.normal(s, 'takes', c.claim_id))
                     * power(l.amount::float8 / t.severity, 0.25))::int,
         CASE WHEN l.amount < 2500 THEN 1 WHEN l.amount < 15000 THEN 2 ELSE 4 END,
         CASE WHEN luck.recovers
              THEN round(l.amount * (0.3 + 0.5 * sim.u(s, 'how much back', c.claim_id))::numeric, 2) END,
         CASE l.coverage_code WHEN 'THEFT' THEN 'SALVAGE' ELSE 'SUBROGATION' END,
         luck.outcome = 'PAID' AND sim.u(s, 'reopens', c.claim_id) < 0.05,
         luck.outcome = 'PAID' AND sim.u(s, 'paid twice', c.claim_id) < 0.025
    FROM claim c
    JOIN sim.loss l USING (claim_id)
    JOIN policy p ON p.policy_id = c.policy_id
    JOIN sim.tariff t ON t.product_id = p.product_id AND t.coverage_code = l.coverage_code
   CROSS JOIN LATERAL (
     SELECT EXISTS (SELECT FROM coverage k
                     WHERE k.policy_id = c.policy_id AND k.coverage_code = l.coverage_code
                       AND k.effective_from <= c.loss_date AND k.effective_to > c.loss_date) AS covered,
            sim.u(s, 'fate', c.claim_id) AS u) AS facts
   CROSS JOIN LATERAL (
     SELECT CASE WHEN NOT covered OR u < 0.04 THEN 'REJECTED' WHEN u < 0.08 THEN 'WITHDRAWN'
                 WHEN u < 0.14 THEN 'NOTHING' ELSE 'PAID' END AS outcome,
            covered AND u >= 0.14
              AND ((l.coverage_code = 'COLL' AND c.at_fault_pct = 0)
                   OR (l.coverage_code IN ('THEFT', 'BUILDING')
                       AND sim.u(s, 'recovers', c.claim_id) < 0.15)) AS recovers) AS luck
   WHERE c.claim_id > after_claim_id
   ORDER BY c.claim_id;
END $$;

-- Set up on the first day; strengthened or released to what it will really cost before the payments.
CREATE OR REPLACE PROCEDURE sim.plan_reserves() LANGUAGE sql AS $$
  INSERT INTO sim.claim_step (claim_id, seq, due_on, kind, component, amount)
  SELECT f.claim_id, 10, f.opened_on, 'RESERVE', 'INDEMNITY', f.first_reserve FROM sim.fate f
  UNION ALL
  SELECT f.claim_id, 11, f.opened_on, 'RESERVE', 'EXPENSE', f.expense FROM sim.fate f WHERE f.expense > 0
  UNION ALL
  SELECT f.claim_id, 20, f.opened_on + f.days * 3 / 10, 'RESERVE', 'INDEMNITY', f.ultimate - f.first_reserve
    FROM sim.fate f WHERE f.outcome = 'PAID' AND f.ultimate <> f.first_reserve
  UNION ALL
  SELECT f.claim_id, 21, f.opened_on + f.days * 3 / 10, 'RECOVERY_RESERVE', 'INDEMNITY', -f.recovery
    FROM sim.fate f WHERE f.recovery IS NOT NULL
$$;

-- Equal payments between the review and the end, the last takes the cents; each eats its reserve.
-- Now and then a clerk presses the button twice, and the next day takes it back.
CREATE OR REPLACE PROCEDURE sim.plan_payments() LANGUAGE sql AS $$
  WITH payment AS (
    SELECT f.*, k, f.opened_on + f.days * (3 * f.payments + 7 * k) / (10 * f.payments) AS due_on,
           CASE WHEN k < f.payments THEN share
                ELSE f.ultimate - (f.payments - 1) * share END AS amount
      FROM sim.fate f
     CROSS JOIN LATERAL (SELECT trunc(f.ultimate / f.payments, 2) AS share) AS s
     CROSS JOIN LATERAL generate_series(1, f.payments) AS k
     WHERE f.outcome = 'PAID')
  INSERT INTO sim.claim_step (claim_id, seq, due_on, kind, amount, reverses_seq)
  SELECT claim_id, 100 + 10 * k, due_on, 'PAYMENT', amount, NULL::int FROM payment
  UNION ALL
  SELECT claim_id, 101 + 10 * k, due_on, 'RESERVE', -amount, NULL FROM payment
  UNION ALL
  SELECT claim_id, 112, due_on, 'PAYMENT', amount, NULL FROM payment WHERE paid_twice AND k = 1
  UNION ALL
  SELECT claim_id, 113, due_on + 1, 'PAYMENT', -amount, 112 FROM payment WHERE paid_twice AND k = 1
$$;

-- Expense, recovery, release of what is left, and the new status.
CREATE OR REPLACE PROCEDURE sim.plan_endings() LANGUAGE sql AS $$
  INSERT INTO sim.claim_step (claim_id, seq, due_on, kind, component, amount, outcome)
  SELECT f.claim_id, e.seq, f.opened_on + f.days + 1, e.kind, e.component, e.amount, e.outcome
    FROM sim.fate f
   CROSS JOIN LATERAL (VALUES
     (800, f.outcome = 'PAID' AND f.expense > 0, 'PAYMENT', 'EXPENSE', f.expense, NULL),
     (801, f.expense > 0,              'RESERVE', 'EXPENSE', -f.expense, NULL),
     (810, f.outcome <> 'PAID',        'RESERVE', 'INDEMNITY', -f.first_reserve, NULL),
     (820, f.recovery IS NOT NULL,     'RECOVERY', 'INDEMNITY', f.recovery, f.recovery_type),
     (821, f.recovery IS NOT NULL,     'RECOVERY_RESERVE', 'INDEMNITY', f.recovery, NULL),
     (890, TRUE, 'STATUS', 'INDEMNITY', NULL,
      CASE WHEN f.outcome IN ('PAID', 'NOTHING') THEN 'CLOSED' ELSE f.outcome END)
   ) AS e(seq, happens, kind, component, amount, outcome)
   WHERE e.happens
$$;

-- Eighty days later a few are opened again for a quarter more.
CREATE OR REPLACE PROCEDURE sim.plan_reopenings() LANGUAGE sql AS $$
  INSERT INTO sim.claim_step (claim_id, seq, due_on, kind, amount, outcome)
  SELECT f.claim_id, e.seq, f.opened_on + f.days + e.after, e.kind, e.sign * more.amount, e.outcome
    FROM sim.fate f
   CROSS JOIN LATERAL (SELECT round(f.ultimate * 0.25, 2) + 1 AS amount) AS more
   CROSS JOIN (VALUES
     (900,  80, 'STATUS', NULL, 'REOPENED'), (901,  80, 'RESERVE',  1, NULL),
     (910, 140, 'PAYMENT',   1, NULL),       (911, 140, 'RESERVE', -1, NULL),
     (990, 140, 'STATUS', NULL, 'CLOSED')) AS e(seq, after, kind, sign, outcome)
   WHERE f.reopens
$$;

-- Investigators are sent most rings and some honest people; only the first are confirmed.
CREATE OR REPLACE PROCEDURE sim.plan_investigations() LANGUAGE sql AS $$
  INSERT INTO sim.claim_step (claim_id, seq, due_on, kind, outcome)
  SELECT f.claim_id, x.seq, f.opened_on + x.after, 'SIU', x.outcome
    FROM sim.fate f
   CROSS JOIN sim.book b
   CROSS JOIN LATERAL (VALUES
     (1, 6, 'REFERRED'),
     (2, 50, CASE WHEN f.ring IS NULL THEN 'CLEARED' ELSE 'CONFIRMED' END)) AS x(seq, after, outcome)
   WHERE sim.u(b.seed, 'suspected', f.claim_id) < CASE WHEN f.ring IS NULL THEN 0.02 ELSE 0.85 END
$$;

CREATE OR REPLACE PROCEDURE sim.plan_claims(after_claim_id bigint) LANGUAGE plpgsql AS $$
BEGIN
  CALL sim.draw_fates(after_claim_id);
  CALL sim.plan_reserves();
  CALL sim.plan_payments();
  CALL sim.plan_endings();
  CALL sim.plan_reopenings();
  CALL sim.plan_investigations();
END $$;
