-- The simulated insurer, its memory and its chance. Everything private to the simulation lives in
-- schema `sim`, so that `public` stays exactly the sixteen tables that an insurer would have.
CREATE SCHEMA IF NOT EXISTS sim;

-- One row: which book this is, and the last working day that is closed.
CREATE TABLE IF NOT EXISTS sim.book (
  only_row             BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
  seed                 BIGINT NOT NULL,
  opened_on            DATE NOT NULL,             -- first day of the history
  history_until        DATE NOT NULL,             -- last day written by open_book
  closed_day           DATE NOT NULL,
  parties              INTEGER NOT NULL,
  new_business_per_day NUMERIC NOT NULL,          -- policies bound on an average live day
  column_added_on      DATE                       -- the day somebody alters table party
);
CREATE SEQUENCE IF NOT EXISTS sim.policy_number;
CREATE SEQUENCE IF NOT EXISTS sim.claim_number;

-- Chance: a pure function of seed, purpose and key. No state, so neither the plan of a query, nor
-- the order of rows, nor how time is cut into periods can change what happens to one policy.
CREATE OR REPLACE FUNCTION sim.u(seed bigint, purpose text, key bigint) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ((hashint8extended(key, hashtextextended(purpose, seed)) & 4503599627370495)::float8 + 0.5)
         / 4503599627370496
$$;

CREATE OR REPLACE FUNCTION sim.normal(seed bigint, purpose text, key bigint) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sqrt(-2 * ln(sim.u(seed, purpose, key))) * cos(6.283185307179586 * sim.u(seed + 1, purpose, key))
$$;

CREATE OR REPLACE FUNCTION sim.pick(seed bigint, purpose text, key bigint, choices text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT choices[1 + floor(sim.u(seed, purpose, key) * array_length(choices, 1))::int]
$$;

CREATE OR REPLACE FUNCTION sim.seed() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT seed FROM sim.book $$;

-- Chance that is drawn afresh in every period that starts on another day.
CREATE OR REPLACE FUNCTION sim.period_seed(day date) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT hashint8extended(day - DATE '2000-01-01', sim.seed())
$$;

-- A moment of a working day, in UTC whatever the session's time zone is.
CREATE OR REPLACE FUNCTION sim.at(day date, u float8) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (day + TIME '08:00' + u * INTERVAL '10 hours') AT TIME ZONE 'UTC'
$$;

CREATE OR REPLACE FUNCTION sim.day_of(moment timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (moment AT TIME ZONE 'UTC')::date $$;

-- Stands for HMAC-SHA256(key, IBAN): equal accounts, equal tokens, and no way back.
CREATE OR REPLACE FUNCTION sim.token(owner text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT encode(sha256(convert_to('account of ' || owner, 'UTF8')), 'hex')
$$;

CREATE OR REPLACE FUNCTION sim.years_between(born date, day date) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT extract(year FROM age(day::timestamp, born::timestamp))::int $$;

-- Claims inflation, which tariffs follow: 3 % a year.
CREATE OR REPLACE FUNCTION sim.trend(day date) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT power(1.03, (day - DATE '2020-01-01') / 365.25) $$;

-- Two hundred places in five regions; what a place is like decides area code and density.
CREATE TABLE IF NOT EXISTS sim.place (
  place_id INTEGER PRIMARY KEY, city TEXT, postal_code TEXT, region_code TEXT, area_code TEXT,
  density_per_km2 INTEGER);
INSERT INTO sim.place
SELECT g,
       (ARRAY['Ash','Birch','Cedar','Elm','Fern','Hazel','Linden','Maple','Oak','Rowan'])[1 + g % 10]
         || (ARRAY['ford','ton','ham','bridge','field'])[1 + g % 5],
       'R' || (1 + g % 5) || lpad(g::text, 3, '0'),
       'R' || (1 + g % 5),
       chr(65 + area),
       ((ARRAY[20, 90, 300, 1100, 4000, 14000])[1 + area] * (0.6 + 0.8 * sim.u(7, 'density', g)))::int
  FROM (SELECT g, floor(6 * sim.u(7, 'area', g))::int AS area FROM generate_series(1, 200) g) AS places
ON CONFLICT (place_id) DO NOTHING;
