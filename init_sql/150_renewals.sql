-- Renewals: an offer thirty days before the end, at today's tariff; the customer answers.

CREATE OR REPLACE PROCEDURE sim.offer_renewals(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE
  s            bigint := sim.seed();
  before       bigint := (SELECT coalesce(max(policy_id), 0) FROM policy);
BEGIN
  INSERT INTO policy (policy_number, term_no, party_id, product_id, agent_id, policy_type, status,
                      start_date, end_date, quoted_at, payment_plan, currency, created_at, updated_at)
  SELECT p.policy_number, p.term_no + 1, p.party_id, p.product_id, p.agent_id, p.policy_type, 'QUOTED',
         p.end_date, (p.end_date + INTERVAL '1 year')::date, moment, p.payment_plan, p.currency, moment, moment
    FROM policy p
    JOIN sim.product_terms t USING (product_id)
   CROSS JOIN LATERAL (SELECT sim.at(p.end_date - 30, sim.u(s, 'offered at', p.policy_id)) AS moment) AS m
   WHERE p.status = 'IN_FORCE' AND t.retention > 0
     AND p.end_date >= d0 + 30 AND p.end_date < d1 + 30
     AND NOT EXISTS (SELECT FROM policy n WHERE n.policy_number = p.policy_number AND n.term_no > p.term_no)
   ORDER BY p.end_date, p.policy_id;

  -- A year without a claim earns 5 % of the premium coefficient; a fault costs a quarter of it.
  INSERT INTO risk_object (policy_id, object_type, external_ref, area_code, region_code, postal_code,
      density_per_km2, usage_code, object_class, sum_insured, make, model_year, power_class, fuel_type,
      ncd_level, driver_birth_date, driver_licence_date, construction_code, year_built, floor_area_m2,
      valid_from, updated_at)
  SELECT n.policy_id, r.object_type, r.external_ref, r.area_code, r.region_code, r.postal_code,
      r.density_per_km2, r.usage_code, r.object_class, r.sum_insured, r.make, r.model_year, r.power_class, r.fuel_type,
      CASE WHEN faults.n = 0 THEN greatest(50, floor(r.ncd_level * 0.95))
           ELSE least(350, floor(r.ncd_level * power(1.25, faults.n))) END,
      r.driver_birth_date, r.driver_licence_date, r.construction_code, r.year_built, r.floor_area_m2,
      n.start_date, n.quoted_at
    FROM policy n
    JOIN policy p ON p.policy_number = n.policy_number AND p.term_no = n.term_no - 1
    JOIN LATERAL (SELECT * FROM risk_object r WHERE r.policy_id = p.policy_id AND r.valid_to IS NULL
                   ORDER BY r.risk_object_id DESC LIMIT 1) AS r ON TRUE
   CROSS JOIN LATERAL (SELECT count(*) AS n FROM claim c
                        WHERE c.policy_id = p.policy_id AND c.at_fault_pct > 50
                          AND c.reported_at < n.quoted_at) AS faults
   WHERE n.policy_id > before
   ORDER BY n.policy_id;

  PERFORM sim.rate(offered), sim.price(offered)
     FROM (SELECT array_agg(policy_id) AS offered FROM policy WHERE policy_id > before) AS o;
  ANALYZE sim.offer;   -- it fills and empties; a plan for the empty table reads the full one row by row
END $$;

-- The dearer the offer against the old price, the more leave: 1.2 points for each point above 5 %.
-- Two in a hundred answer only after the old term has ended.
CREATE OR REPLACE PROCEDURE sim.decide_renewals(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.seed();
BEGIN
  WITH decided AS (
  UPDATE policy n
     SET status = d.outcome, updated_at = d.moment,
         bound_at = CASE WHEN d.outcome = 'BOUND' THEN d.moment END
    FROM (
      SELECT n.policy_id, moment,
             CASE WHEN old.status IN ('IN_FORCE', 'EXPIRED')
                   AND sim.u(s, 'renews', n.policy_id)
                       < t.retention + 0.01 * least(n.term_no - 2, 5)
                         - 1.2 * least(0.25, greatest(0, offered.premium / old_price.premium - 1.05))
                  THEN 'BOUND' ELSE 'NOT_TAKEN' END AS outcome
        FROM policy n
        JOIN policy old ON old.policy_number = n.policy_number AND old.term_no = n.term_no - 1
        JOIN sim.product_terms t ON t.product_id = n.product_id
        JOIN LATERAL (SELECT sum(annual_premium)::float8 AS premium FROM sim.offer o
                       WHERE o.policy_id = n.policy_id) AS offered ON TRUE
        JOIN LATERAL (SELECT annual_premium::float8 AS premium FROM policy_version v
                       WHERE v.policy_id = old.policy_id ORDER BY version_no DESC LIMIT 1) AS old_price ON TRUE
       CROSS JOIN LATERAL (
         SELECT sim.at(n.start_date + CASE WHEN sim.u(s, 'forgets', n.policy_id) < 0.02 THEN 4
                         ELSE -1 - floor(20 * sim.u(s, 'answers', n.policy_id))::int END,
                       sim.u(s, 'answers at', n.policy_id)) AS moment) AS m
       WHERE n.status = 'QUOTED' AND n.term_no > 1 AND n.quoted_at >= sim.at(d0 - 45, 0)
         AND sim.day_of(moment) >= d0 AND sim.day_of(moment) < d1
    ) AS d
   WHERE n.policy_id = d.policy_id
  RETURNING n.policy_id, n.status)
  DELETE FROM sim.offer o USING decided d WHERE d.policy_id = o.policy_id AND d.status = 'NOT_TAKEN';
END $$;

-- Night batch: cover begins, terms end. Outcome RENEWED or LAPSED; EXPIRED when nobody has said.
-- Dates decide what is in force; status follows them and is only a cross-check.
CREATE OR REPLACE PROCEDURE sim.turn_terms(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  UPDATE policy SET status = 'IN_FORCE', updated_at = sim.at(greatest(start_date, sim.day_of(bound_at)), 1)
   WHERE status = 'BOUND' AND start_date < d1 AND quoted_at >= sim.at(d0 - 75, 0);

  UPDATE policy p
     SET status = over.outcome, updated_at = sim.at(p.end_date, 1)
    FROM (
      SELECT o.policy_id,
             CASE WHEN n.status IN ('BOUND', 'IN_FORCE') THEN 'RENEWED'
                  WHEN n.status = 'QUOTED' OR pr.term_months < 12 THEN 'EXPIRED'
                  ELSE 'LAPSED' END AS outcome
        FROM policy o
        JOIN product pr USING (product_id)
        LEFT JOIN policy n ON n.policy_number = o.policy_number AND n.term_no = o.term_no + 1
       WHERE o.status = 'IN_FORCE' AND o.end_date >= d0 - 31 AND o.end_date < d1) AS over
   WHERE over.policy_id = p.policy_id;

  -- Half a year after the last cover has ended, a customer is one no more.
  UPDATE party y SET status = 'INACTIVE', updated_at = sim.at(d1 - 1, 1)
   WHERE y.status = 'ACTIVE'
     AND y.party_id IN (SELECT p.party_id FROM policy p WHERE p.end_date >= d0 - 180 AND p.end_date < d1 - 180)
     AND NOT EXISTS (SELECT FROM policy p WHERE p.party_id = y.party_id
                      AND (p.status IN ('QUOTED', 'BOUND', 'IN_FORCE')
                           OR (p.end_date >= d1 - 180 AND p.status NOT IN ('DECLINED', 'NOT_TAKEN'))));
END $$;
