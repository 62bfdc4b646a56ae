-- The business itself: CALL open_book(…) once, then CALL live_day(date) for each day that passes.
-- Both commit as they go, as an application would: call them outside a transaction (autocommit).

CREATE OR REPLACE PROCEDURE open_book(
  parties int DEFAULT 400, years int DEFAULT 3, seed bigint DEFAULT 1, as_of date DEFAULT DATE '2026-06-30',
  new_business_per_day numeric DEFAULT NULL, column_added_on date DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
  first_day date := (as_of + 1 - years * INTERVAL '1 year')::date;
  d0        date := first_day;
  d1        date;
  months    int := 0;
BEGIN
  IF EXISTS (SELECT FROM sim.book) THEN
    RAISE EXCEPTION 'BOOK_ALREADY_OPEN: this database holds a book that is lived up to %',
      (SELECT closed_day FROM sim.book)
      USING HINT = 'CALL live_day(date) goes on from there; a new book needs a new database.';
  END IF;
  IF parties < 1 OR years < 1 THEN
    RAISE EXCEPTION 'BOOK_TOO_SMALL: parties and years must be at least 1, not % and %', parties, years;
  END IF;
  INSERT INTO sim.book (seed, opened_on, history_until, closed_day, parties, new_business_per_day, column_added_on)
  VALUES (seed, first_day, as_of, first_day - 1, parties,
          coalesce(new_business_per_day, greatest(2, parties * 0.15 / 365)), column_added_on);
  ANALYZE product, agent, sim.book, sim.place, sim.tariff, sim.relativity, sim.product_terms, sim.channel;
  -- History is lived month by month by the same procedures that later live single days.
  WHILE d0 <= as_of LOOP
    d1 := least((date_trunc('month', d0::timestamp) + INTERVAL '1 month')::date, as_of + 1);
    CALL sim.sell(d0, d1);
    CALL sim.change_contracts(d0, d1);
    CALL sim.handle_claims(d0, d1);
    CALL sim.take_money(d0, d1);
    CALL sim.keep_parties(d0, d1);
    CALL sim.close_day(d0, d1);
    COMMIT;
    months := months + 1;
    IF months IN (1, 3, 9, 20) THEN CALL sim.look_at_sizes(); END IF;
    d0 := d1;
  END LOOP;
  CALL sim.look_at_sizes();
  CALL control.count_rows();
END $$;

-- Everything since the last closed day, up to and including `day`. A gap (a weekend) is lived at once.
CREATE OR REPLACE PROCEDURE live_day(day date) LANGUAGE plpgsql AS $$
DECLARE
  d0 date := (SELECT closed_day + 1 FROM sim.book);
  d1 date := day + 1;
BEGIN
  IF d0 IS NULL THEN
    RAISE EXCEPTION 'NO_BOOK: nothing to live in yet' USING HINT = 'CALL open_book(parties => 400, years => 3) first.';
  END IF;
  IF d1 <= d0 THEN
    RAISE EXCEPTION 'DAY_ALREADY_CLOSED: % is closed, the last closed day is %', day, d0 - 1
      USING HINT = 'Days only go forward: CALL live_day(''' || d0 || ''').';
  END IF;
  IF d1 - d0 > 31 THEN
    RAISE EXCEPTION 'GAP_TOO_LONG: % days lie between % and %; at most 31 are lived at once', d1 - d0, d0 - 1, day
      USING HINT = 'Live the days between in smaller steps. After an open_book that was broken off, start with a new database.';
  END IF;
  CALL sim.alter_schema(d0, d1);            COMMIT;
  CALL sim.sell(d0, d1);                    COMMIT;
  CALL sim.change_contracts(d0, d1);        COMMIT;
  CALL sim.handle_claims(d0, d1);           COMMIT;
  CALL sim.take_money(d0, d1);              COMMIT;
  CALL sim.keep_parties(d0, d1);            COMMIT;
  CALL sim.delete_mistakes(d0, d1);         COMMIT;
  CALL sim.change_keys(d0, d1);             COMMIT;
  CALL sim.touch_rows(d0, d1);              COMMIT;
  CALL sim.try_and_fail(d0, d1);            COMMIT;
  CALL sim.bulk_update(d0, d1);             COMMIT;
  UPDATE product SET name = 'oops';         ROLLBACK;   -- somebody forgot the WHERE, and noticed in time
  CALL sim.close_day(d0, d1);               COMMIT;
  CALL control.count_rows();                COMMIT;
END $$;

-- One period [d0, d1), in the order in which an office works. Each part leaves the business whole.
CREATE OR REPLACE PROCEDURE sim.sell(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sim.tune();
  CALL sim.quote(d0, d1);
  CALL sim.decide_quotes(d0, d1);
  CALL sim.offer_renewals(d0, d1);
  CALL sim.decide_renewals(d0, d1);
  CALL sim.issue(d0);
END $$;

CREATE OR REPLACE PROCEDURE sim.change_contracts(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sim.tune();
  CALL sim.book_endorsements(d0, d1);
  CALL sim.book_cancellations(d0, d1);
  CALL sim.book_reinstatements(d0, d1);
  CALL sim.reverse_double_booking(d0, d1);
END $$;

CREATE OR REPLACE PROCEDURE sim.handle_claims(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sim.tune();
  CALL sim.lose(d0, d1);
  CALL sim.report_losses(d0, d1);
  CALL sim.end_by_death(d0, d1);
  CALL sim.post_claims(d0, d1);
END $$;

-- After the claims: a death leaves a refund to pay.
CREATE OR REPLACE PROCEDURE sim.take_money(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sim.tune();
  CALL sim.collect(d0, d1);
  CALL sim.dun(d0, d1);
  CALL sim.quote_funds(d0, d1);
  CALL sim.buy_units(d0, d1);
END $$;

CREATE OR REPLACE PROCEDURE sim.keep_parties(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sim.tune();
  CALL sim.move_house(d0, d1);
  CALL sim.merge_parties(d0, d1);
  CALL sim.answer_erasure_requests(d0, d1);
END $$;

CREATE OR REPLACE PROCEDURE sim.close_day(d0 date, d1 date) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sim.tune();
  CALL sim.turn_terms(d0, d1);
  UPDATE sim.book SET closed_day = d1 - 1;
END $$;

-- Compiling costs more than these queries do. Lasts until the transaction ends, so the caller's
-- session is left as it was. Plans stay cached: those of the foreign keys are used most of all.
CREATE OR REPLACE FUNCTION sim.tune() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('jit', 'off', true);
END $$;

-- Plans made for empty tables do not suit full ones.
CREATE OR REPLACE PROCEDURE sim.look_at_sizes() LANGUAGE sql AS $$
  ANALYZE party, party_address, policy, policy_version, risk_object, coverage, premium_transaction, invoice, payment,
          claim, claim_party, claim_transaction, fund_unit, fund_price, sim.loss, sim.claim_step, sim.risk, sim.offer
$$;
