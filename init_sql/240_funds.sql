-- Unit-linked savings: a price a working day, and units bought with what policyholders paid.

CREATE OR REPLACE PROCEDURE sim.quote_funds(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.seed();
BEGIN
  INSERT INTO fund_price (fund_code, price_date, bid_price, offer_price, updated_at)
  SELECT fund_code, day, bid, round(bid * 1.02, 6), sim.at(day, 1)
    FROM (
      SELECT f.fund_code, g::date AS day,
             round((coalesce((SELECT bid_price FROM fund_price p WHERE p.fund_code = f.fund_code AND p.price_date < d0
                               ORDER BY p.price_date DESC LIMIT 1), 1.5)
               * exp(sum(f.drift + f.risk * sim.normal(s, f.fund_code, g::date - DATE '2000-01-01'))
                     OVER (PARTITION BY f.fund_code ORDER BY g)))::numeric, 6) AS bid
        FROM (VALUES ('EQ-WORLD', 0.00025, 0.009), ('EQ-EUROPE', 0.0002, 0.010), ('BOND', 0.00008, 0.003),
                     ('CASH', 0.00006, 0.0002)) AS f(fund_code, drift, risk),
             generate_series(d0::timestamp, d1 - INTERVAL '1 day', INTERVAL '1 day') AS g
       WHERE extract(isodow FROM g) < 6) AS priced
   ORDER BY day, fund_code
  ON CONFLICT (fund_code, price_date) DO NOTHING;
END $$;

-- 95 % of each settled premium buys units at the last offer price before the payment.
CREATE OR REPLACE PROCEDURE sim.buy_units(d0 date, d1 date) LANGUAGE plpgsql AS $$
DECLARE s bigint := sim.seed();
BEGIN
  WITH bought AS (
    SELECT first.policy_id, first.party_id, f.fund_code, max(y.paid_at) AS paid_at,
           round(sum(y.amount * 0.95 / price.offer_price), 6) AS units
      FROM payment y
      JOIN policy p ON p.policy_id = y.policy_id AND p.policy_type = 'UNIT_LINKED' AND p.status <> 'CANCELLED'
      -- A holding belongs to the contract, not to the term: it hangs on the first one.
      JOIN policy first ON first.policy_number = p.policy_number AND first.term_no = 1
     CROSS JOIN LATERAL (SELECT sim.pick(s, 'fund', first.policy_id,
                                         '{EQ-WORLD,EQ-WORLD,EQ-EUROPE,BOND,CASH}') AS fund_code) AS f
      JOIN LATERAL (SELECT offer_price FROM fund_price x
                     WHERE x.fund_code = f.fund_code AND x.price_date <= sim.day_of(y.paid_at)
                     ORDER BY x.price_date DESC LIMIT 1) AS price ON TRUE
     WHERE y.paid_at >= sim.at(d0, -0.8) AND y.paid_at < sim.at(d1, -0.8) AND y.status = 'SETTLED' AND y.amount > 0
     GROUP BY 1, 2, 3
  ), held AS (
    UPDATE fund_unit h SET units = h.units + b.units, updated_at = b.paid_at
      FROM bought b WHERE h.policy_id = b.policy_id AND h.fund_code = b.fund_code
    RETURNING h.policy_id)
  INSERT INTO fund_unit (fund_code, party_id, policy_id, units, updated_at)
  SELECT b.fund_code, b.party_id, b.policy_id, b.units, b.paid_at
    FROM bought b WHERE b.policy_id NOT IN (SELECT policy_id FROM held)
   ORDER BY b.policy_id;
END $$;
