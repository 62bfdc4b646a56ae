-- What real databases do to those who replicate them. Each event is lawful for the business.

-- Two entries of one person become one: the loser stays, points to the survivor and keeps its contracts.
CREATE OR REPLACE PROCEDURE sim.merge_parties(d0 date, d1 date) LANGUAGE sql AS $$
  UPDATE party y
     SET status = 'MERGED', merged_into_party_id = d.survivor_id, updated_at = sim.at(greatest(d0, d.merge_on), 0.5)
    FROM sim.duplicate d
    JOIN party o ON o.party_id = d.survivor_id
   WHERE d.party_id = y.party_id AND d.merge_on < d1
     AND y.status IN ('PROSPECT', 'ACTIVE', 'INACTIVE') AND o.status IN ('PROSPECT', 'ACTIVE', 'INACTIVE')
$$;

-- A data subject asks to be forgotten: personal fields go, addresses go, the key stays.
CREATE OR REPLACE PROCEDURE sim.erase_party(asking bigint, day date) LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM party_address WHERE party_id = asking;
  UPDATE claim_party SET phone = NULL, updated_at = sim.at(day, 0.6) WHERE party_id = asking AND phone IS NOT NULL;
  UPDATE party SET name = 'ERASED', birth_date = NULL, gender = NULL, national_id = NULL, email = NULL, phone = NULL,
                   marketing_consent = FALSE, status = 'ERASED', updated_at = sim.at(day, 0.6)
   WHERE party_id = asking;
END $$;

-- A row is found by the first key at or after a random one: no table is read as a whole for a whim.
-- The last tenth is left out so that there is something after it.
CREATE OR REPLACE FUNCTION sim.somewhere(u float8, last_key bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT floor(0.9 * u * last_key)::bigint $$;

-- One request a fortnight, from a prospect who never bought or a customer who left.
CREATE OR REPLACE PROCEDURE sim.answer_erasure_requests(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE
  s      bigint := sim.period_seed(d0);
  asking bigint;
BEGIN
  IF sim.u(s, 'asks to be forgotten', 1) > (d1 - d0) / 14.0 THEN RETURN; END IF;
  SELECT y.party_id INTO asking
    FROM party y
   WHERE y.party_id > sim.somewhere(sim.u(s, 'who asks', 1), (SELECT max(party_id) FROM party))
     AND y.status IN ('PROSPECT', 'INACTIVE')
     AND NOT EXISTS (SELECT FROM policy p WHERE p.party_id = y.party_id AND p.status IN ('QUOTED', 'BOUND', 'IN_FORCE'))
     AND NOT EXISTS (SELECT FROM sim.duplicate d WHERE y.party_id IN (d.party_id, d.survivor_id))
   ORDER BY y.party_id LIMIT 1;
  IF asking IS NOT NULL THEN CALL sim.erase_party(asking, d0); END IF;
END $$;

-- A premium is keyed twice and taken back: a row, and a row of the opposite sign.
CREATE OR REPLACE PROCEDURE sim.reverse_double_booking(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE
  s     bigint := sim.period_seed(d0);
  wrong premium_transaction;
BEGIN
  SELECT t.* INTO wrong
    FROM premium_transaction t
    JOIN policy p USING (policy_id)
   WHERE t.premium_txn_id >= (SELECT max(premium_txn_id) FROM premium_transaction)
                             - floor(50 * sim.u(s, 'keyed twice', 1))::bigint
     AND t.txn_type IN ('NEW', 'RENEWAL') AND p.status IN ('BOUND', 'IN_FORCE')
   ORDER BY t.premium_txn_id LIMIT 1;
  IF wrong.premium_txn_id IS NULL THEN RETURN; END IF;
  INSERT INTO premium_transaction (policy_id, policy_version_id, coverage_id, coverage_code, txn_type, amount,
      tax_amount, commission_amount, earn_from, earn_to, booked_on)
  SELECT wrong.policy_id, wrong.policy_version_id, wrong.coverage_id, wrong.coverage_code, k.txn_type,
         k.sign * wrong.amount, k.sign * wrong.tax_amount, k.sign * wrong.commission_amount,
         wrong.earn_from, wrong.earn_to, d1 - 1
    FROM (VALUES (1, wrong.txn_type), (-1, 'REVERSAL')) AS k(sign, txn_type);
END $$;

-- A clerk removes an address or a witness entered by mistake.
CREATE OR REPLACE PROCEDURE sim.delete_mistakes(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.period_seed(d0);
BEGIN
  DELETE FROM party_address WHERE address_id = (
    SELECT address_id FROM party_address
     WHERE address_type = 'MAILING'
       AND address_id >= sim.somewhere(sim.u(s, 'wrong address', 1), (SELECT max(address_id) FROM party_address))
     ORDER BY address_id LIMIT 1);
  DELETE FROM claim_party WHERE claim_party_id = (
    SELECT claim_party_id FROM claim_party
     WHERE role = 'WITNESS'
       AND claim_party_id >= sim.somewhere(sim.u(s, 'wrong witness', 1), (SELECT max(claim_party_id) FROM claim_party))
     ORDER BY claim_party_id LIMIT 1);
END $$;

-- Somebody "cleans up" keys: an address and a claim party get new ones. DMS shows only the new key.
CREATE OR REPLACE PROCEDURE sim.change_keys(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.period_seed(d0);
BEGIN
  UPDATE party_address
     SET address_id = nextval(pg_get_serial_sequence('public.party_address', 'address_id')),
         updated_at = sim.at(d0, 0.7)
   WHERE address_id = (
     SELECT address_id FROM party_address
      WHERE address_id >= sim.somewhere(sim.u(s, 'rekeyed address', 1), (SELECT max(address_id) FROM party_address))
      ORDER BY address_id LIMIT 1);
  UPDATE claim_party
     SET claim_party_id = nextval(pg_get_serial_sequence('public.claim_party', 'claim_party_id')),
         updated_at = sim.at(d0, 0.7)
   WHERE claim_party_id = (
     SELECT claim_party_id FROM claim_party
      WHERE role <> 'INSURED'
        AND claim_party_id >= sim.somewhere(sim.u(s, 'rekeyed involved', 1),
                                           (SELECT max(claim_party_id) FROM claim_party))
      ORDER BY claim_party_id LIMIT 1);
END $$;

-- Updates that change nothing, and one row changed three times in a transaction.
CREATE OR REPLACE PROCEDURE sim.touch_rows(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE
  s   bigint := sim.period_seed(d0);
  one bigint;
BEGIN
  UPDATE policy SET status = status WHERE policy_id IN (
    SELECT policy_id FROM policy
     WHERE status = 'IN_FORCE'
       AND policy_id >= sim.somewhere(sim.u(s, 'untouched', 1), (SELECT max(policy_id) FROM policy))
     ORDER BY policy_id LIMIT 3);
  SELECT party_id INTO one FROM party
   WHERE status = 'ACTIVE' AND party_id >= sim.somewhere(sim.u(s, 'touched', 1), (SELECT max(party_id) FROM party))
   ORDER BY party_id LIMIT 1;
  UPDATE party SET marketing_consent = NOT marketing_consent, updated_at = sim.at(d0, 0.80) WHERE party_id = one;
  UPDATE party SET email = 'new.' || email, updated_at = sim.at(d0, 0.81) WHERE party_id = one;
  UPDATE party SET marketing_consent = NOT marketing_consent, updated_at = sim.at(d0, 0.82) WHERE party_id = one;
END $$;

-- Work that is undone: to a savepoint (an exception block is one), then as a whole by the caller.
CREATE OR REPLACE PROCEDURE sim.try_and_fail(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    UPDATE claim SET litigated = TRUE WHERE status = 'OPEN';
    INSERT INTO party (name, type) VALUES ('never seen', 'individual');
    RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = 'the clerk presses cancel';
  EXCEPTION WHEN raise_exception THEN NULL;
  END;
  UPDATE agent SET updated_at = sim.at(d0, 0.9) WHERE agent_id = 1000 + 100 * (1 + (d0 - DATE '2000-01-01') % 5) + 1;
END $$;

-- On the first of a month head office touches many rows in one transaction.
CREATE OR REPLACE PROCEDURE sim.bulk_update(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.period_seed(d0);
BEGIN
  IF extract(day FROM d0) = 1 THEN
    UPDATE party SET marketing_consent = FALSE, updated_at = sim.at(d0, 0.95)
     WHERE marketing_consent AND sim.u(s, 'consent lapses', party_id) < 0.05;
  END IF;
END $$;

-- The known day on which table party grows a column (open_book's column_added_on; off by default).
CREATE OR REPLACE PROCEDURE sim.alter_schema(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.seed();
BEGIN
  IF (SELECT column_added_on >= d0 AND column_added_on < d1 FROM sim.book) THEN
    ALTER TABLE party ADD COLUMN IF NOT EXISTS preferred_language TEXT;
    UPDATE party SET preferred_language = sim.pick(s, 'language', party_id, '{en,de,fr}'), updated_at = sim.at(d0, 0.99)
     WHERE status = 'ACTIVE' AND party_id % 10 = 0;
  END IF;
END $$;
