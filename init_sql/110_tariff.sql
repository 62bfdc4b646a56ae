-- What really happens (frequency, severity, relativities) and what is charged for it.
-- An analyst who fits a model on the sixteen tables must find the relativities of this file again.

CREATE TABLE IF NOT EXISTS sim.product_terms (
  product_id BIGINT PRIMARY KEY, share FLOAT8, object_type TEXT, tax_rate NUMERIC, retention FLOAT8,
  cancellation_rate FLOAT8, endorsement_rate FLOAT8);
DELETE FROM sim.product_terms;
INSERT INTO sim.product_terms VALUES
  -- product, share of quotes, object, tax, share renewed, cancelled a year, endorsed a year
  (1, 0.17, 'VEHICLE',  0.12, 0.85, 0.06, 0.20),
  (2, 0.29, 'VEHICLE',  0.12, 0.87, 0.05, 0.28),
  (3, 0.17, 'PROPERTY', 0.12, 0.90, 0.04, 0.15),
  (4, 0.12, 'PROPERTY', 0.12, 0.91, 0.03, 0.18),
  (5, 0.06, 'OTHER',    0.12, 0.00, 0.00, 0.00),
  (6, 0.05, 'OTHER',    0.12, 0.72, 0.03, 0.02),
  (7, 0.08, 'OTHER',    0.00, 0.96, 0.02, 0.04),
  (8, 0.06, 'OTHER',    0.00, 0.94, 0.06, 0.02);

CREATE TABLE IF NOT EXISTS sim.channel (channel TEXT PRIMARY KEY, branch INTEGER, share FLOAT8, commission NUMERIC);
DELETE FROM sim.channel;
INSERT INTO sim.channel VALUES
  ('TIED', 1, 0.36, 0.12), ('BROKER', 2, 0.30, 0.15), ('DIRECT', 3, 0.24, 0.02), ('BANK', 4, 0.10, 0.10);

-- Per unit and year: claims, mean and sigma of a lognormal claim at 2020 prices, the loss ratio that
-- the price aims at (one claim in seven will cost nothing, so less comes out), and mean days until a
-- loss is reported and a claim is settled.
CREATE TABLE IF NOT EXISTS sim.tariff (
  product_id BIGINT, coverage_code TEXT, taken FLOAT8, frequency FLOAT8, severity FLOAT8, sigma FLOAT8,
  target_loss_ratio FLOAT8, savings_premium FLOAT8, limit_amount NUMERIC, deductible_amount NUMERIC,
  report_days FLOAT8, settle_days FLOAT8, PRIMARY KEY (product_id, coverage_code));
DELETE FROM sim.tariff;
INSERT INTO sim.tariff VALUES
  (1, 'TPL',          1.00, 0.045,  3600, 1.25, 0.82,    0, 1000000,   0, 20, 320),
  (1, 'PA',           0.40, 0.006,  4200, 0.90, 0.68,    0,   50000,   0, 15, 200),
  (2, 'TPL',          1.00, 0.042,  3600, 1.25, 0.80,    0, 1000000,   0, 20, 320),
  (2, 'COLL',         1.00, 0.070,  2100, 0.85, 0.78,    0,   40000, 300,  4,  70),
  (2, 'THEFT',        0.90, 0.006,  7500, 0.60, 0.68,    0,   40000, 300,  3, 110),
  (2, 'GLASS',        0.70, 0.050,   450, 0.45, 0.75,    0,    2000,  50,  3,  25),
  (3, 'BUILDING',     1.00, 0.024,  3900, 1.15, 0.52,    0,  400000, 250, 10, 150),
  (3, 'CONTENTS',     0.85, 0.030,  1300, 0.95, 0.56,    0,   60000, 150,  6,  60),
  (4, 'BUILDING',     1.00, 0.024,  3900, 1.15, 0.52,    0,  600000, 250, 10, 150),
  (4, 'CONTENTS',     1.00, 0.030,  1500, 0.95, 0.56,    0,   90000, 100,  6,  60),
  (4, 'WATER',        0.90, 0.028,  2400, 0.90, 0.62,    0,  100000, 200,  8,  90),
  (4, 'LIABILITY',    1.00, 0.004,  5200, 1.20, 0.60,    0, 1000000,   0, 25, 300),
  (5, 'MEDICAL',      1.00, 0.500,   420, 1.10, 0.55,    0,  100000,  50, 12,  45),
  (5, 'CANCELLATION', 0.60, 0.450,   380, 0.70, 0.55,    0,    5000,  50,  9,  35),
  (6, 'MEDICAL',      1.00, 0.080,   520, 1.10, 0.55,    0,  200000,  50, 12,  45),
  (6, 'CANCELLATION', 0.80, 0.070,   420, 0.70, 0.55,    0,   10000,  50,  9,  35),
  (6, 'BAGGAGE',      0.70, 0.050,   280, 0.60, 0.55,    0,    3000,  50,  8,  30),
  (7, 'DEATH',        1.00, 0.0030, 70000, 0.45, 0.55,   0,  250000,   0, 20,  60),
  (8, 'DEATH',        1.00, 0.0025, 9000, 0.30, 0.55,    0,   20000,   0, 20,  60),
  (8, 'SAVINGS',      1.00, 0,          1, 0,    1.00, 1400,    NULL, NULL, 0,  0);

-- How much more often, and how much dearer, than the base level of the factor. A level is a code, or
-- a half-open band [lo, hi) of whole numbers; the labels are those of the gold layer.
CREATE TABLE IF NOT EXISTS sim.relativity (
  policy_type TEXT, factor TEXT, level TEXT, frequency FLOAT8, severity FLOAT8, lo INTEGER, hi INTEGER,
  PRIMARY KEY (policy_type, factor, level));
DELETE FROM sim.relativity;
INSERT INTO sim.relativity VALUES
  ('MOTOR', 'driver_age_band', '18-20', 2.10, 1.25, 18, 21), ('MOTOR', 'driver_age_band', '21-25', 1.60, 1.15, 21, 26),
  ('MOTOR', 'driver_age_band', '26-30', 1.20, 1.05, 26, 31), ('MOTOR', 'driver_age_band', '31-40', 1.00, 1.00, 31, 41),
  ('MOTOR', 'driver_age_band', '41-50', 0.92, 1.00, 41, 51), ('MOTOR', 'driver_age_band', '51-70', 0.85, 1.00, 51, 71),
  ('MOTOR', 'driver_age_band', '71+',   1.30, 1.10, 71, 999),
  ('MOTOR', 'ncd_band', '50-50',   0.75, 1, 50, 51), ('MOTOR', 'ncd_band', '51-59', 0.85, 1,  51, 60),
  ('MOTOR', 'ncd_band', '60-79',   1.00, 1, 60, 80), ('MOTOR', 'ncd_band', '80-99', 1.20, 1,  80, 100),
  ('MOTOR', 'ncd_band', '100-124', 1.45, 1, 100, 125), ('MOTOR', 'ncd_band', '125+', 1.90, 1, 125, 999),
  ('MOTOR', 'area_code', 'A', 0.80, 1.10, NULL, NULL), ('MOTOR', 'area_code', 'B', 0.90, 1.05, NULL, NULL),
  ('MOTOR', 'area_code', 'C', 1.00, 1.00, NULL, NULL), ('MOTOR', 'area_code', 'D', 1.10, 1.00, NULL, NULL),
  ('MOTOR', 'area_code', 'E', 1.25, 0.95, NULL, NULL), ('MOTOR', 'area_code', 'F', 1.45, 0.95, NULL, NULL),
  ('MOTOR', 'usage_code', 'PRIVATE', 1.00, 1, NULL, NULL), ('MOTOR', 'usage_code', 'COMMUTE', 1.15, 1, NULL, NULL),
  ('MOTOR', 'usage_code', 'BUSINESS', 1.45, 1.05, NULL, NULL),
  ('MOTOR', 'power_class', 'P1', 0.90, 0.85, NULL, NULL), ('MOTOR', 'power_class', 'P2', 1.00, 1.00, NULL, NULL),
  ('MOTOR', 'power_class', 'P3', 1.12, 1.15, NULL, NULL), ('MOTOR', 'power_class', 'P4', 1.35, 1.40, NULL, NULL),
  ('HOME', 'construction_code', 'BRICK', 1.00, 1.00, NULL, NULL),
  ('HOME', 'construction_code', 'CONCRETE', 0.85, 0.95, NULL, NULL),
  ('HOME', 'construction_code', 'TIMBER', 1.40, 1.30, NULL, NULL),
  ('HOME', 'usage_code', 'OWNER', 1.00, 1, NULL, NULL), ('HOME', 'usage_code', 'LET', 1.35, 1.05, NULL, NULL),
  ('HOME', 'usage_code', 'HOLIDAY', 1.20, 1.20, NULL, NULL),
  ('HOME', 'year_band', 'before 1946', 1.35, 1.15, 0, 1946), ('HOME', 'year_band', '1946-1989', 1.10, 1.00, 1946, 1990),
  ('HOME', 'year_band', '1990+', 1.00, 1.00, 1990, 9999),
  ('TRAVEL', 'object_class', 'NEAR', 0.80, 0.80, NULL, NULL), ('TRAVEL', 'object_class', 'FAR', 1.10, 1.15, NULL, NULL),
  ('TRAVEL', 'object_class', 'WORLD', 1.40, 1.50, NULL, NULL),
  ('LIFE', 'age_band', '18-34', 0.35, 1, 0, 35), ('LIFE', 'age_band', '35-49', 0.80, 1, 35, 50),
  ('LIFE', 'age_band', '50-64', 2.00, 1, 50, 65), ('LIFE', 'age_band', '65+', 5.00, 1, 65, 999),
  ('UNIT_LINKED', 'age_band', '18-34', 0.35, 1, 0, 35), ('UNIT_LINKED', 'age_band', '35-49', 0.80, 1, 35, 50),
  ('UNIT_LINKED', 'age_band', '50-64', 2.00, 1, 50, 65), ('UNIT_LINKED', 'age_band', '65+', 5.00, 1, 65, 999);

-- What each insured object really costs against the base, computed once, when it is first priced.
CREATE TABLE IF NOT EXISTS sim.risk (
  risk_object_id BIGINT PRIMARY KEY, frequency FLOAT8 NOT NULL, severity FLOAT8 NOT NULL);

-- Priced lines of a contract that is bound or of a renewal offer; coverage rows exist only once the
-- cover is bound, because in-force is read from dates and an offer must not count.
CREATE TABLE IF NOT EXISTS sim.offer (
  policy_id BIGINT, coverage_code TEXT, risk_object_id BIGINT, annual_premium NUMERIC(14,2),
  unit_count SMALLINT, limit_amount NUMERIC(14,2), deductible_amount NUMERIC(14,2),
  PRIMARY KEY (policy_id, coverage_code));

-- Rates the objects of these policies that are not rated yet. Ages are attained at the start of the term.
CREATE OR REPLACE FUNCTION sim.rate(policies bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO sim.risk
  SELECT r.risk_object_id,
         exp(sum(ln(coalesce(rel.frequency, 1)))), exp(sum(ln(coalesce(rel.severity, 1))))
    FROM risk_object r
    JOIN policy p USING (policy_id)
    JOIN party y USING (party_id)
   CROSS JOIN LATERAL (VALUES
      ('driver_age_band',   NULL, sim.years_between(r.driver_birth_date, p.start_date)),
      ('age_band',          NULL, sim.years_between(y.birth_date, p.start_date)),
      ('ncd_band',          NULL, r.ncd_level),
      ('year_band',         NULL, r.year_built),
      ('area_code',         r.area_code, NULL),
      ('usage_code',        r.usage_code, NULL),
      ('power_class',       r.power_class, NULL),
      ('construction_code', r.construction_code, NULL),
      ('object_class',      r.object_class, NULL)) AS at_start (factor, code, number)
    LEFT JOIN sim.relativity rel
           ON rel.policy_type = p.policy_type AND rel.factor = at_start.factor
          AND (rel.level = at_start.code OR (at_start.number >= rel.lo AND at_start.number < rel.hi))
   WHERE r.policy_id = ANY (policies) AND NOT EXISTS (SELECT FROM sim.risk k WHERE k.risk_object_id = r.risk_object_id)
   GROUP BY r.risk_object_id
$$;

-- The tariff knows the risk, but not perfectly: it dampens it, and underwriters add their opinion.
-- The first unit decides which covers are taken; the same contract keeps its choice at renewal.
CREATE OR REPLACE FUNCTION sim.price(policies bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO sim.offer
  SELECT p.policy_id, t.coverage_code, r.risk_object_id,
         round((fleet.units * (t.savings_premium * (0.5 + sim.u(b.seed, 'savings', h.contract))
           + t.frequency * t.severity / t.target_loss_ratio * power(k.frequency * k.severity, 0.95)
             * sim.trend(p.start_date) * (1 + 0.03 * sin(extract(year FROM p.start_date)))
             * (0.92 + 0.16 * sim.u(b.seed, 'opinion', h.contract))))::numeric, 2),
         fleet.units, t.limit_amount, t.deductible_amount
    FROM risk_object r
   CROSS JOIN sim.book b
    JOIN sim.risk k USING (risk_object_id)
    JOIN policy p USING (policy_id)
    JOIN party y USING (party_id)
    JOIN sim.tariff t USING (product_id)
   CROSS JOIN LATERAL (SELECT hashtextextended(p.policy_number, 0) AS contract) AS h
   CROSS JOIN LATERAL (SELECT CASE WHEN r.object_type = 'VEHICLE' AND y.type = 'corporate'
       THEN 1 + floor(6 * sim.u(b.seed, 'fleet', h.contract))::int ELSE 1 END AS units) AS fleet
   WHERE r.policy_id = ANY (policies)
     AND sim.u(b.seed, 'takes ' || t.coverage_code, h.contract) < t.taken
$$;
