-- New business: somebody asks, we describe the risk, and one in four says yes.

CREATE OR REPLACE PROCEDURE sim.describe_risks(after_policy_id bigint) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.seed();
BEGIN
  INSERT INTO risk_object (policy_id, object_type, external_ref, area_code, region_code, postal_code,
      density_per_km2, usage_code, object_class, sum_insured, make, model_year, power_class, fuel_type,
      ncd_level, driver_birth_date, driver_licence_date, construction_code, year_built, floor_area_m2,
      valid_from, updated_at)
  SELECT id, kind, CASE WHEN kind <> 'OTHER' THEN left(kind, 1) || upper(substr(sim.token('object ' || id), 1, 9)) END,
         area_code, region_code, postal_code, density_per_km2,
         CASE kind WHEN 'VEHICLE'  THEN sim.pick(s, 'car use', id, '{PRIVATE,PRIVATE,PRIVATE,COMMUTE,COMMUTE,BUSINESS}')
                   WHEN 'PROPERTY' THEN sim.pick(s, 'house use', id, '{OWNER,OWNER,OWNER,OWNER,LET,HOLIDAY}') END,
         CASE kind WHEN 'VEHICLE'  THEN sim.pick(s, 'body', id, '{HATCH,ESTATE,SUV,VAN}')
                   WHEN 'PROPERTY' THEN sim.pick(s, 'dwelling', id, '{HOUSE,HOUSE,FLAT,FLAT,COTTAGE}')
                   ELSE sim.pick(s, 'class', id, '{NEAR,NEAR,FAR,WORLD}') END,
         round((value * (0.5 + sim.u(s, 'value', id)))::numeric, -2),
         CASE kind WHEN 'VEHICLE' THEN sim.pick(s, 'make', id, '{ARDEN,BOREAL,CORSO,DELTA,EVO}') END,
         CASE kind WHEN 'VEHICLE' 
              THEN extract(year FROM start_date) - floor(18 * power(sim.u(s, 'car age', id), 1.4)) END,
         CASE kind WHEN 'VEHICLE' THEN sim.pick(s, 'power', id, '{P1,P1,P1,P2,P2,P2,P2,P3,P3,P4}') END,
         CASE kind WHEN 'VEHICLE' THEN sim.pick(s, 'fuel', id, '{PETROL,PETROL,DIESEL,HYBRID,ELECTRIC}') END,
         CASE kind WHEN 'VEHICLE' THEN (ARRAY[50, 50, 50, 54, 57, 60, 64, 68, 76, 85, 90, 100, 106, 118, 140])
                                       [1 + floor(15 * sim.u(s, 'ncd', id))::int] END,
         driver, driver + (365.25 * (18 + 5 * sim.u(s, 'licence', id)))::int,
         CASE kind WHEN 'PROPERTY' THEN sim.pick(s, 'walls', id, '{BRICK,BRICK,BRICK,CONCRETE,CONCRETE,TIMBER}') END,
         CASE kind WHEN 'PROPERTY' THEN 1890 + floor(130 * sim.u(s, 'built', id)) END,
         CASE kind WHEN 'PROPERTY' THEN 40 + floor(180 * sim.u(s, 'floor', id)) END,
         start_date, asked
    FROM (
      SELECT p.policy_id AS id, p.start_date, p.quoted_at AS asked, t.object_type AS kind,
             place.area_code, place.region_code, place.postal_code, place.density_per_km2,
             CASE t.object_type WHEN 'VEHICLE' THEN 18000 WHEN 'PROPERTY' THEN 220000 ELSE 50000 END AS value,
             -- Somebody else drives for a firm; nobody drives below eighteen or far above eighty.
             CASE WHEN t.object_type = 'VEHICLE' THEN
               greatest(p.start_date - 31000, least(p.start_date - 6700, coalesce(y.birth_date,
                 DATE '1960-01-01' + (15000 * sim.u(s, 'driver', p.policy_id))::int))) END AS driver
        FROM policy p
        JOIN party y USING (party_id)
        JOIN sim.product_terms t USING (product_id)
        LEFT JOIN LATERAL (SELECT a.postal_code FROM party_address a
                            WHERE a.party_id = p.party_id AND a.valid_to IS NULL
                            ORDER BY a.address_id LIMIT 1) AS home ON TRUE
        JOIN sim.place place
          ON place.place_id = coalesce(substr(home.postal_code, 3)::int,
                                       1 + floor(200 * sim.u(s, 'risk place', p.policy_id))::int)
       WHERE p.policy_id > after_policy_id
    ) AS asked_for
   ORDER BY id;
END $$;

-- Four quotes for each policy that will be bound. Strangers come with about one quote in five.
CREATE OR REPLACE PROCEDURE sim.quote(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE
  s        bigint := sim.period_seed(d0);
  b        sim.book := (SELECT book FROM sim.book);
  history  boolean := d0 <= b.history_until;
  a_day    float8 := CASE WHEN NOT history THEN b.new_business_per_day
                          WHEN d0 < b.opened_on + 365 THEN b.parties / 365.0
                          ELSE b.parties * 0.15 / 365 END;
  quotes   int := floor(4 * a_day * (d1 - d0) + sim.u(s, 'quotes', 1));
  known    bigint := (SELECT coalesce(max(party_id), 0) FROM party);
  arriving int := CASE WHEN known = 0 THEN quotes ELSE floor(quotes * 0.22 + sim.u(s, 'arriving', 1)) END;
  before   bigint := (SELECT coalesce(max(policy_id), 0) FROM policy);
BEGIN
  CALL sim.new_parties(d0, d1, arriving);

  INSERT INTO policy (policy_number, party_id, product_id, agent_id, policy_type, status, start_date,
                      end_date, quoted_at, payment_plan, created_at, updated_at)
  SELECT left(product_code, 3) || '-' || lpad(nextval('sim.policy_number')::text, 8, '0'),
         party_id, product_id, agent_id, policy_type, 'QUOTED', starts,
         (starts + term_months * INTERVAL '1 month')::date, asked, plan, asked, asked
    FROM (
      WITH wanted AS MATERIALIZED (
        SELECT product_id, sum(share) OVER w - share AS lo, sum(share) OVER w AS hi
          FROM sim.product_terms WINDOW w AS (ORDER BY product_id)
      ), through AS MATERIALIZED (
        SELECT branch, sum(share) OVER w - share AS lo, sum(share) OVER w AS hi
          FROM sim.channel WINDOW w AS (ORDER BY branch))
      SELECT g, y.party_id, pr.product_id, pr.product_code, pr.policy_type, pr.term_months, asked,
             -- The walk-in customer has no agent.
             CASE WHEN sim.u(s, 'walks in', g) > 0.01 THEN
               1000 * ch.branch + 100 * (1 + floor(5 * sim.u(s, 'office', g))::int)
                 + 1 + floor(6 * sim.u(s, 'agent', g))::int END AS agent_id,
             -- Three in a hundred get cover that began some days ago.
             sim.day_of(asked) + CASE WHEN sim.u(s, 'backdated', g) < 0.03 THEN -5
                                      ELSE 9 + floor(20 * sim.u(s, 'starts', g))::int END AS starts,
             CASE WHEN pr.term_months < 12 THEN 'ANNUAL'
                  ELSE sim.pick(s, 'plan', g, '{ANNUAL,ANNUAL,ANNUAL,QUARTERLY,MONTHLY,MONTHLY}') END AS plan
        FROM generate_series(1, quotes) g
        JOIN party y ON y.party_id = CASE WHEN g <= arriving THEN known + g
                                          ELSE 1 + floor((known + arriving) * sim.u(s, 'who', g))::bigint END
       CROSS JOIN LATERAL (SELECT 0.999999 * sim.u(s, 'product', g) AS product,
                                  0.999999 * sim.u(s, 'channel', g) AS channel) AS draw
        JOIN wanted w ON draw.product >= w.lo AND draw.product < w.hi
        JOIN product pr ON pr.product_id = w.product_id
        JOIN through ch ON draw.channel >= ch.lo AND draw.channel < ch.hi
       CROSS JOIN LATERAL (SELECT sim.at(d0 + floor(sim.u(s, 'asks', g) * (d1 - d0))::int,
                                         sim.u(s, 'at', g)) AS asked) AS clock
       WHERE y.status IN ('PROSPECT', 'ACTIVE')
         AND (y.type = 'individual' OR pr.line_of_business IN ('MOTOR', 'HOME'))
       ORDER BY asked, g
    ) AS enquiries;

  CALL sim.describe_risks(before);
END $$;

-- Within nine days of the quote: bound (a quarter), declined by us, or not taken by them.
CREATE OR REPLACE PROCEDURE sim.decide_quotes(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE
  s     bigint := sim.seed();
  bound bigint[];
BEGIN
  WITH decided AS (
    UPDATE policy p
       SET status = d.outcome, updated_at = d.moment,
           bound_at = CASE WHEN d.outcome = 'BOUND' THEN d.moment END
      FROM (
        SELECT policy_id, outcome,
               sim.at(decides_on, sim.u(s, 'decided at', policy_id)) AS moment
          FROM policy
         CROSS JOIN LATERAL (
           SELECT sim.day_of(quoted_at) + 1 + floor(8 * sim.u(s, 'thinks', policy_id))::int AS decides_on,
                  CASE WHEN sim.u(s, 'decides', policy_id) < 0.25 THEN 'BOUND'
                       WHEN sim.u(s, 'decides', policy_id) < 0.33 THEN 'DECLINED'
                       ELSE 'NOT_TAKEN' END AS outcome) AS answer
         WHERE status = 'QUOTED' AND term_no = 1 AND quoted_at >= sim.at(d0 - 10, 0)
           AND decides_on >= d0 AND decides_on < d1) AS d
     WHERE p.policy_id = d.policy_id
    RETURNING p.policy_id, p.party_id, p.status, p.bound_at
  ), customers AS (
    UPDATE party y SET status = 'ACTIVE', updated_at = first.bound_at
      FROM (SELECT party_id, min(bound_at) AS bound_at FROM decided WHERE status = 'BOUND' GROUP BY 1) AS first
     WHERE y.party_id = first.party_id AND y.status = 'PROSPECT')
  SELECT array_agg(policy_id ORDER BY policy_id) INTO bound FROM decided WHERE status = 'BOUND';
  PERFORM sim.rate(bound), sim.price(bound);
END $$;
