-- Mid-term changes. A segment is never edited in place: it is closed and a successor is written, and
-- the ledger takes annual_difference * days(effective, term end) / days(term), earning from there on.

CREATE UNLOGGED TABLE IF NOT EXISTS sim.endorsed (
  coverage_id BIGINT PRIMARY KEY, policy_id BIGINT, booked_at TIMESTAMPTZ, effective_on DATE,
  reason TEXT, old_annual NUMERIC(14,2), new_annual NUMERIC(14,2));

-- Who calls, when, about what. The effective date is the day of the call, in one case of ten up to
-- three weeks earlier (booked late), in one of ten up to ten days ahead.
CREATE OR REPLACE PROCEDURE sim.take_endorsements(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.period_seed(d0);
BEGIN
  DELETE FROM sim.endorsed;
  INSERT INTO sim.endorsed
  SELECT c.coverage_id, c.policy_id, call.moment, call.effective_on, call.reason, c.annual_premium,
         round(c.annual_premium * call.change, 2)
    FROM (
      SELECT p.policy_id, p.start_date, p.end_date, sim.at(day, sim.u(s, 'rings at', p.policy_id)) AS moment,
             day + CASE WHEN sim.u(s, 'from when', p.policy_id) < 0.1
                        THEN -floor(21 * sim.u(s, 'late', p.policy_id))::int
                        WHEN sim.u(s, 'from when', p.policy_id) > 0.9
                        THEN floor(10 * sim.u(s, 'ahead', p.policy_id))::int
                        ELSE 0 END AS effective_on,
             CASE WHEN sim.u(s, 'what', p.policy_id) < 0.4 THEN 'NEW_OBJECT' ELSE 'COVER_CHANGE' END AS reason,
             (0.85 + 0.5 * sim.u(s, 'how much', p.policy_id))::numeric AS change
        FROM policy p
        JOIN sim.product_terms t USING (product_id)
       CROSS JOIN LATERAL (SELECT greatest(d0, p.start_date) AS lo, least(d1, p.end_date) AS hi) AS w
       CROSS JOIN LATERAL (SELECT w.lo + floor((w.hi - w.lo) * sim.u(s, 'rings', p.policy_id))::int AS day) AS k
       WHERE p.status = 'IN_FORCE' AND p.end_date > d0 AND w.hi > w.lo
         AND sim.u(s, 'endorses', p.policy_id) < t.endorsement_rate * (w.hi - w.lo) / 365.0
         AND NOT EXISTS (SELECT FROM policy n WHERE n.policy_number = p.policy_number AND n.term_no > p.term_no)
    ) AS call
    JOIN LATERAL (
      SELECT c.*, row_number() OVER (ORDER BY c.coverage_id) AS nth
        FROM coverage c
       WHERE c.policy_id = call.policy_id AND c.effective_to = call.end_date
         AND c.effective_from < call.effective_on) AS c
      ON call.reason = 'NEW_OBJECT' OR c.nth = 1
   WHERE call.effective_on > call.start_date AND call.effective_on < call.end_date;
END $$;

-- Another car or house: the object is closed, a successor is described and keeps its risk factors.
CREATE OR REPLACE PROCEDURE sim.replace_objects() LANGUAGE plpgsql AS $$
DECLARE before bigint := (SELECT coalesce(max(risk_object_id), 0) FROM risk_object);
BEGIN
  INSERT INTO risk_object (policy_id, object_type, external_ref, area_code, region_code, postal_code,
      density_per_km2, usage_code, object_class, sum_insured, make, model_year, power_class, fuel_type,
      ncd_level, driver_birth_date, driver_licence_date, construction_code, year_built, floor_area_m2,
      valid_from, updated_at)
  SELECT r.policy_id, r.object_type,
         left(r.object_type, 1) || upper(substr(sim.token('successor of ' || r.risk_object_id), 1, 9)),
         r.area_code, r.region_code, r.postal_code, r.density_per_km2, r.usage_code, r.object_class,
         round(r.sum_insured * 1.1, -2), r.make, r.model_year, r.power_class, r.fuel_type, r.ncd_level,
         r.driver_birth_date, r.driver_licence_date, r.construction_code, r.year_built, r.floor_area_m2,
         e.effective_on, e.booked_at
    FROM (SELECT DISTINCT policy_id, effective_on, booked_at FROM sim.endorsed WHERE reason = 'NEW_OBJECT') AS e
    JOIN risk_object r ON r.policy_id = e.policy_id AND r.valid_to IS NULL AND r.valid_from <= e.effective_on
   ORDER BY r.risk_object_id;
  UPDATE risk_object r SET valid_to = n.valid_from, updated_at = n.updated_at
    FROM risk_object n
   WHERE n.risk_object_id > before AND r.policy_id = n.policy_id AND r.risk_object_id <= before
     AND r.valid_to IS NULL AND r.valid_from <= n.valid_from;
  PERFORM sim.rate((SELECT array_agg(policy_id) FROM risk_object WHERE risk_object_id > before));
END $$;

CREATE OR REPLACE PROCEDURE sim.book_endorsements(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  CALL sim.take_endorsements(d0, d1);
  CALL sim.replace_objects();

  INSERT INTO policy_version (policy_id, version_no, txn_type, effective_date, booked_at, reason_code, annual_premium)
  SELECT e.policy_id, last.version_no + 1, 'ENDORSEMENT', e.effective_on, e.booked_at, e.reason,
         last.annual_premium + e.difference
    FROM (SELECT policy_id, effective_on, booked_at, reason, sum(new_annual - old_annual) AS difference
            FROM sim.endorsed GROUP BY 1, 2, 3, 4) AS e
    JOIN LATERAL (SELECT version_no, annual_premium FROM policy_version v
                   WHERE v.policy_id = e.policy_id ORDER BY version_no DESC LIMIT 1) AS last ON TRUE
   ORDER BY e.booked_at, e.policy_id;

  WITH successor AS (
    INSERT INTO coverage (policy_id, risk_object_id, coverage_code, limit_amount, deductible_amount,
                          effective_from, effective_to, annual_premium, unit_count, updated_at)
    SELECT c.policy_id, coalesce(object.risk_object_id, c.risk_object_id), c.coverage_code,
           CASE e.reason WHEN 'COVER_CHANGE' THEN round(c.limit_amount * e.new_annual / nullif(e.old_annual, 0), -2)
                         ELSE c.limit_amount END,
           c.deductible_amount, e.effective_on, c.effective_to, e.new_annual, c.unit_count, e.booked_at
      FROM sim.endorsed e
      JOIN coverage c USING (coverage_id)
      LEFT JOIN LATERAL (SELECT max(r.risk_object_id) AS risk_object_id FROM risk_object r
                          WHERE r.policy_id = c.policy_id AND r.valid_to IS NULL) AS object ON TRUE
     ORDER BY e.booked_at, c.coverage_id
    RETURNING coverage_id, policy_id, coverage_code, effective_from, effective_to
  )
  INSERT INTO premium_transaction (policy_id, policy_version_id, coverage_id, coverage_code, txn_type,
      amount, tax_amount, commission_amount, earn_from, earn_to, booked_on)
  SELECT n.policy_id, v.policy_version_id, n.coverage_id, n.coverage_code, 'ENDORSEMENT',
         m.amount, round(m.amount * t.tax_rate, 2), round(m.amount * coalesce(ch.commission, 0), 2),
         n.effective_from, n.effective_to, sim.day_of(v.booked_at)
    FROM successor n
    JOIN coverage c ON c.policy_id = n.policy_id AND c.coverage_code = n.coverage_code
    JOIN sim.endorsed e ON e.coverage_id = c.coverage_id
    JOIN policy p ON p.policy_id = n.policy_id
    JOIN sim.product_terms t USING (product_id)
    JOIN LATERAL (SELECT * FROM policy_version v WHERE v.policy_id = n.policy_id
                   ORDER BY version_no DESC LIMIT 1) AS v ON TRUE
    LEFT JOIN agent a ON a.agent_id = p.agent_id
    LEFT JOIN sim.channel ch ON ch.channel = a.channel
   CROSS JOIN LATERAL (SELECT round((e.new_annual - e.old_annual) * (p.end_date - e.effective_on)
                                    / (p.end_date - p.start_date), 2) AS amount) AS m
   WHERE m.amount <> 0
   ORDER BY n.coverage_id;

  UPDATE coverage c SET effective_to = e.effective_on, updated_at = e.booked_at
    FROM sim.endorsed e WHERE e.coverage_id = c.coverage_id;

  PERFORM sim.bill_difference((SELECT array_agg(DISTINCT policy_id) FROM sim.endorsed));
END $$;
