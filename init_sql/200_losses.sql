-- What happens to insured people, before the insurer hears of it.

CREATE TABLE IF NOT EXISTS sim.loss (
  loss_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  policy_id BIGINT NOT NULL, coverage_id BIGINT NOT NULL, coverage_code TEXT NOT NULL, loss_date DATE NOT NULL,
  report_on DATE NOT NULL, amount NUMERIC(14,2) NOT NULL, catastrophe_code TEXT,
  ring INTEGER,                                   -- the fraud ring that staged it, if one did
  claim_id BIGINT,
  UNIQUE (coverage_id, loss_date));
CREATE INDEX IF NOT EXISTS loss_unreported ON sim.loss (report_on) WHERE claim_id IS NULL;

-- Three or four storms a year, October to March, each over one region.
CREATE OR REPLACE FUNCTION sim.storms(d0 date, d1 date)
RETURNS TABLE (day date, region_code text, code text) LANGUAGE sql STABLE AS $$
  SELECT g::date, 'R' || (1 + floor(5 * sim.u(sim.seed(), 'storm over', g::date - DATE '2000-01-01'))::int),
         'STORM-' || to_char(g, 'YYYYMMDD')
    FROM generate_series(d0::timestamp, d1 - INTERVAL '1 day', INTERVAL '1 day') AS g
   WHERE extract(month FROM g) NOT BETWEEN 4 AND 9
     AND sim.u(sim.seed(), 'storm', g::date - DATE '2000-01-01') < 1.0 / 52
$$;

-- Ordinary losses: one chance per segment and period, in proportion to exposure, to the tariff's
-- frequency and to the object's relativities. Amounts are lognormal about the mean, cut at the limit.
CREATE OR REPLACE PROCEDURE sim.lose(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE
  s     bigint := sim.period_seed(d0);
  rings int := (SELECT greatest(2, parties / 1000) FROM sim.book);
BEGIN
  INSERT INTO sim.loss (policy_id, coverage_id, coverage_code, loss_date, report_on, amount, catastrophe_code, ring)
  SELECT policy_id, coverage_id, coverage_code, lost_on,
         lost_on + floor(-ln(sim.u(s, 'silent', coverage_id)) * report_days
           -- Injuries that show themselves late.
           * CASE WHEN coverage_code IN ('TPL', 'LIABILITY')
                   AND sim.u(s, 'shows late', coverage_id) < 0.06 THEN 9 ELSE 1 END)::int,
         greatest(20, least(limit_amount, round((mean * exp(
           sigma * sim.normal(s, 'size', coverage_id) - sigma * sigma / 2))::numeric, 2))),
         storm,
         CASE WHEN storm IS NULL AND coverage_code IN ('TPL', 'COLL', 'THEFT', 'CONTENTS')
                   AND sim.u(s, 'staged', coverage_id) < 0.03
              THEN 1 + floor(rings * sim.u(s, 'ring', coverage_id))::int END
    FROM (
      SELECT c.policy_id, c.coverage_id, c.coverage_code, c.limit_amount, t.sigma, t.report_days, NULL::text AS storm,
             w.lo + floor((w.hi - w.lo) * sim.u(s, 'lost on', c.coverage_id))::int AS lost_on,
             t.severity * k.severity * sim.trend(d0) AS mean
        FROM coverage c
        JOIN policy p USING (policy_id)
        JOIN sim.tariff t ON t.product_id = p.product_id AND t.coverage_code = c.coverage_code
        JOIN sim.risk k USING (risk_object_id)
       CROSS JOIN LATERAL (SELECT greatest(d0, c.effective_from) AS lo, least(d1, c.effective_to) AS hi) AS w
       WHERE c.effective_to > d0 AND c.effective_from < d1 AND w.hi > w.lo
         AND sim.u(s, 'loses', c.coverage_id)
             < 1 - exp(-t.frequency * k.frequency * c.unit_count * (w.hi - w.lo) / 365.25)
      UNION ALL
      SELECT c.policy_id, c.coverage_id, c.coverage_code, c.limit_amount, t.sigma, t.report_days, x.code, x.day,
             t.severity * 0.8 * k.severity * sim.trend(d0)
        FROM sim.storms(d0, d1) AS x
        JOIN coverage c ON c.effective_from <= x.day AND c.effective_to > x.day
                       AND c.coverage_code IN ('BUILDING', 'CONTENTS', 'COLL')
        JOIN risk_object r ON r.risk_object_id = c.risk_object_id AND r.region_code = x.region_code
        JOIN sim.risk k ON k.risk_object_id = c.risk_object_id
        JOIN policy p ON p.policy_id = c.policy_id
        JOIN sim.tariff t ON t.product_id = p.product_id AND t.coverage_code = c.coverage_code
       WHERE sim.u(s, x.code, c.coverage_id) < CASE c.coverage_code WHEN 'BUILDING' THEN 0.025 ELSE 0.01 END
    ) AS struck
   ORDER BY lost_on, coverage_id, storm
  ON CONFLICT (coverage_id, loss_date) DO NOTHING;
END $$;
