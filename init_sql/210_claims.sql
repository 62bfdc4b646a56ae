-- A loss is reported and becomes a claim; on that day its future is drawn, step by step, into
-- sim.claim_step, from where the ledger is posted when the days come.

CREATE TABLE IF NOT EXISTS sim.claim_step (
  claim_id BIGINT, seq INTEGER, due_on DATE NOT NULL, kind TEXT NOT NULL, component TEXT NOT NULL DEFAULT 'INDEMNITY',
  amount NUMERIC(14,2), outcome TEXT,             -- new status, siu status or type of recovery
  reverses_seq INTEGER, claim_txn_id BIGINT, done BOOLEAN NOT NULL DEFAULT FALSE, PRIMARY KEY (claim_id, seq));
CREATE INDEX IF NOT EXISTS claim_step_due ON sim.claim_step (due_on) WHERE NOT done;

CREATE OR REPLACE FUNCTION sim.cause(coverage_code text, storm text, u float8) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN storm IS NOT NULL THEN 'STORM'
              WHEN coverage_code = 'TPL' THEN CASE WHEN u < 0.25 THEN 'INJURY' ELSE 'COLLISION' END
              WHEN coverage_code = 'COLL' THEN CASE WHEN u < 0.8 THEN 'COLLISION' ELSE 'VANDALISM' END
              WHEN coverage_code IN ('BUILDING', 'CONTENTS')
                THEN CASE WHEN u < 0.2 THEN 'FIRE' WHEN u < 0.55 THEN 'THEFT' WHEN u < 0.8 THEN 'WATER'
                          ELSE 'ACCIDENT' END
              WHEN coverage_code = 'PA' THEN 'INJURY' WHEN coverage_code = 'MEDICAL' THEN 'ILLNESS'
              ELSE coverage_code END
$$;

CREATE OR REPLACE PROCEDURE sim.report_losses(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE
  s      bigint := sim.seed();
  before bigint := (SELECT coalesce(max(claim_id), 0) FROM claim);
BEGIN
  WITH reported AS (
    INSERT INTO claim (claim_number, policy_id, coverage_id, loss_date, reported_at, status, cause_code,
        severity_code, catastrophe_code, at_fault_pct, loss_postal_code, police_report, witness_count,
        litigated, description, updated_at)
    SELECT 'C' || to_char(sim.day_of(moment), 'YYYY') || '-' || lpad(nextval('sim.claim_number')::text, 7, '0'),
           policy_id, coverage_id, loss_date, moment, 'OPEN', cause,
           CASE WHEN amount < 1000 THEN 'MINOR' WHEN amount < 10000 THEN 'MEDIUM' ELSE 'MAJOR' END,
           catastrophe_code,
           CASE WHEN coverage_code IN ('TPL', 'COLL')
                THEN (ARRAY[100, 50, 0])[1 + width_bucket(sim.u(s, 'fault', loss_id), ARRAY[0.55, 0.65])] END,
           postal_code,
           CASE WHEN cause NOT IN ('THEFT', 'INJURY', 'VANDALISM') THEN NULL
                WHEN sim.u(s, 'police', loss_id) < CASE WHEN ring IS NULL THEN 0.85 ELSE 0.3 END THEN 'YES'
                ELSE 'NO' END,
           floor(3 * sim.u(s, 'witnesses', loss_id)), amount > 15000 AND sim.u(s, 'court', loss_id) < 0.4,
           'Reported by phone: ' || lower(cause), moment
      FROM (
        SELECT l.*, r.postal_code, sim.at(greatest(l.report_on, d0), sim.u(s, 'reported at', l.loss_id)) AS moment,
               sim.cause(l.coverage_code, l.catastrophe_code, sim.u(s, 'cause', l.loss_id)) AS cause
          FROM sim.loss l
          JOIN coverage c USING (coverage_id)
          LEFT JOIN risk_object r USING (risk_object_id)
         WHERE l.claim_id IS NULL AND l.report_on < d1
         ORDER BY l.report_on, l.loss_id) AS l
    RETURNING claim_id, policy_id, coverage_id, loss_date)
  UPDATE sim.loss l SET claim_id = c.claim_id
    FROM reported c
   WHERE l.coverage_id = c.coverage_id AND l.loss_date = c.loss_date AND l.claim_id IS NULL AND l.report_on < d1;

  CALL sim.name_claim_parties(before);
  CALL sim.plan_claims(before);
END $$;

-- Who is involved. The claims of a ring share a bank account, a phone and a mailing address, and bring
-- the same witness.
CREATE OR REPLACE PROCEDURE sim.name_claim_parties(after_claim_id bigint) LANGUAGE sql AS $$
  INSERT INTO party_address (party_id, address_type, line1, city, postal_code, region_code, valid_from, updated_at)
  SELECT DISTINCT ON (p.party_id) p.party_id, 'MAILING', 'Unit ' || l.ring || ', Dock Road', home.city,
         home.postal_code, home.region_code, sim.day_of(c.reported_at), c.reported_at
    FROM claim c
    JOIN sim.loss l USING (claim_id)
    JOIN policy p ON p.policy_id = c.policy_id
    JOIN sim.place home ON home.place_id = 1 + l.ring % 200
   WHERE c.claim_id > after_claim_id
   ORDER BY p.party_id, c.claim_id;

  INSERT INTO claim_party (claim_id, party_id, role, phone, bank_account_token, updated_at)
  SELECT c.claim_id, w.party_id, w.role, w.phone, w.token, c.reported_at
    FROM claim c
    JOIN sim.loss l USING (claim_id)
    JOIN policy p ON p.policy_id = c.policy_id
    JOIN party y ON y.party_id = p.party_id
   CROSS JOIN LATERAL (
     SELECT 1 AS nth, y.party_id, 'INSURED' AS role,
            CASE WHEN l.ring IS NULL THEN y.phone ELSE '+44 7911 ' || lpad(l.ring::text, 6, '0') END AS phone,
            sim.token(CASE WHEN l.ring IS NULL THEN 'party ' || y.party_id ELSE 'ring ' || l.ring END) AS token
     UNION ALL
     SELECT 2, NULL, 'THIRD_PARTY', '+44 7822 ' || lpad((c.claim_id % 1000000)::text, 6, '0'),
            sim.token('third party of ' || c.claim_id)
      WHERE l.coverage_code IN ('TPL', 'LIABILITY')
     UNION ALL
     SELECT 2 + g,
            CASE WHEN g = 1 THEN (SELECT party_id FROM party WHERE party_id = 3 * l.ring) END, 'WITNESS',
            CASE WHEN l.ring IS NULL THEN '+44 7833 ' || lpad((c.claim_id * 3 + g)::text, 6, '0')
                 ELSE '+44 7911 ' || lpad((l.ring + 100)::text, 6, '0') END, NULL
       FROM generate_series(1, c.witness_count) AS g
   ) AS w
   WHERE c.claim_id > after_claim_id
   ORDER BY c.claim_id, w.nth
$$;
