-- People and companies arrive: most as strangers, some into a household, a few a second time.

-- Parties entered twice, and the day somebody notices.
CREATE TABLE IF NOT EXISTS sim.duplicate (
  party_id BIGINT PRIMARY KEY, survivor_id BIGINT NOT NULL, merge_on DATE NOT NULL);

CREATE OR REPLACE PROCEDURE sim.new_parties(d0 date, d1 date, arriving int) LANGUAGE plpgsql AS $$
DECLARE
  s      bigint := sim.period_seed(d0);
  before bigint := (SELECT coalesce(max(party_id), 0) FROM party);
  homes  bigint := (SELECT coalesce(max(address_id), 0) FROM party_address);
BEGIN
  INSERT INTO party (name, type, birth_date, gender, national_id, email, phone, marketing_consent,
                     status, created_at, updated_at)
  SELECT label, kind, born, CASE WHEN kind = 'individual' THEN sim.pick(s, 'gender', g, '{F,M}') END,
         'N' || lpad((900000000 * sim.u(s, 'national id', g))::bigint::text, 9, '0'),
         replace(lower(label), ' ', '.') || '.' || (before + g) || '@example.org',
         '+44 7700 ' || lpad((before + g)::text, 6, '0'),
         sim.u(s, 'consent', g) < 0.4, 'PROSPECT', moment, moment
    FROM (
      SELECT g, kind,
             CASE WHEN kind = 'individual'
                  THEN DATE '1940-01-01' + (sim.u(s, 'born', g) * 24000)::int END AS born,
             CASE WHEN kind = 'individual'
                  THEN sim.pick(s, 'first', g, '{Ada,Ben,Chloe,Dev,Edith,Farid,Grace,Hugo,Ines,Jonas,'
                    'Kira,Liam,Mona,Noel,Olga,Priya,Quinn,Rosa,Sami,Tara,Umar,Vera,Wim,Yara,Zoë}')
                  ELSE sim.pick(s, 'firm', g, '{Harbour,Northern,Meadow,Summit,Union,Valley}') END || ' ' ||
             CASE WHEN kind = 'individual'
                  THEN sim.pick(s, 'last', g, '{Abel,Brandt,Costa,Dietz,Evans,Fischer,Garcia,Hall,Ito,'
                    'Jensen,Kaya,Lopez,Moreau,Novak,Ortiz,Petrov,Quist,Rossi,Silva,Turner,Urban,Vogel,Weiss,Young}')
                  ELSE sim.pick(s, 'trade', g, '{Bakery,Builders,Cargo,Dental,Energy,Foods}') || ' Ltd' END AS label,
             sim.at(d0 + floor(sim.u(s, 'arrives', g) * (d1 - d0))::int, sim.u(s, 'hour', g)) AS moment
        FROM generate_series(1, arriving) g,
             LATERAL (SELECT CASE WHEN sim.u(s, 'kind', g) < 0.93 THEN 'individual' ELSE 'corporate' END) k(kind)
    ) AS arrivals
   ORDER BY g;

  -- Three in ten move in with somebody we know already.
  INSERT INTO party_address (party_id, address_type, line1, city, postal_code, region_code, valid_from, updated_at)
  SELECT y.party_id, CASE y.type WHEN 'corporate' THEN 'BUSINESS' ELSE 'HOME' END,
         coalesce(known.line1, (1 + floor(180 * sim.u(s, 'house', y.party_id))) || ' '
           || sim.pick(s, 'street', y.party_id,
                '{Mill Lane,High Street,Station Road,Park Avenue,Quay Street,Church Row}')),
         coalesce(known.city, place.city), coalesce(known.postal_code, place.postal_code),
         coalesce(known.region_code, place.region_code), sim.day_of(y.created_at), y.created_at
    FROM party y
    JOIN sim.place place ON place.place_id = 1 + floor(200 * sim.u(s, 'place', y.party_id))::int
    LEFT JOIN party_address known
           ON y.type = 'individual' AND sim.u(s, 'moves in', y.party_id) < 0.3
          AND known.address_id = 1 + floor(homes * sim.u(s, 'with', y.party_id))
          AND known.address_type = 'HOME' AND known.valid_to IS NULL
   WHERE y.party_id > before
   ORDER BY y.party_id;

  INSERT INTO party_address (party_id, address_type, line1, city, postal_code, region_code, valid_from, updated_at)
  SELECT y.party_id, 'MAILING', 'PO Box ' || y.party_id, 'Oakford', 'R1010', 'R1',
         sim.day_of(y.created_at), y.created_at
    FROM party y
   WHERE y.party_id > before AND sim.u(s, 'po box', y.party_id) < 0.08
   ORDER BY y.party_id;

  -- One in sixty is somebody we know under a slightly different name.
  WITH twins AS (
    UPDATE party y
       SET name = upper(o.name), type = o.type, birth_date = o.birth_date, gender = o.gender,
           national_id = o.national_id, phone = o.phone
      FROM party o
     WHERE y.party_id > before AND sim.u(s, 'known already', y.party_id) < 1.0 / 60
       AND o.party_id = 1 + floor(before * sim.u(s, 'as', y.party_id))
       AND o.status IN ('PROSPECT', 'ACTIVE')
       AND NOT EXISTS (SELECT FROM sim.duplicate d WHERE d.party_id = o.party_id)
    RETURNING y.party_id, o.party_id AS original)
  INSERT INTO sim.duplicate
  SELECT party_id, original, d1 + 5 + floor(120 * sim.u(s, 'noticed', party_id))::int FROM twins;
END $$;

-- One customer in fifteen moves house each year: the old address ends on the day the new one begins.
CREATE OR REPLACE PROCEDURE sim.move_house(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.period_seed(d0);
BEGIN
  WITH moving AS (
    SELECT a.address_id, a.party_id, d.day, sim.at(d.day, sim.u(s, 'tells us', a.party_id)) AS moment
      FROM party_address a
      JOIN party y USING (party_id)
     CROSS JOIN LATERAL (SELECT d0 + floor((d1 - d0) * sim.u(s, 'moves on', a.party_id))::int AS day) AS d
     WHERE a.address_type = 'HOME' AND a.valid_to IS NULL AND y.status = 'ACTIVE' AND a.valid_from < d.day
       AND sim.u(s, 'moves', a.party_id) < (d1 - d0) / (15 * 365.0)
  ), left_behind AS (
    UPDATE party_address a SET valid_to = m.day, updated_at = m.moment
      FROM moving m WHERE m.address_id = a.address_id
    RETURNING a.party_id)
  INSERT INTO party_address (party_id, address_type, line1, city, postal_code, region_code, valid_from, updated_at)
  SELECT m.party_id, 'HOME', (1 + floor(180 * sim.u(s, 'new house', m.party_id))) || ' '
           || sim.pick(s, 'new street', m.party_id, '{Garden Close,Bridge Street,Orchard Way,North Road}'),
         p.city, p.postal_code, p.region_code, m.day, m.moment
    FROM moving m JOIN sim.place p ON p.place_id = 1 + floor(200 * sim.u(s, 'new place', m.party_id))::int
   ORDER BY m.moment, m.party_id;
END $$;
