-- Fund units as at v: what is held now, at the last price by v.

-- Grain: fund_code, party_id.
CREATE OR REPLACE FUNCTION report.fund_valuation(v date)
RETURNS TABLE (fund_code text, party_id bigint, valuation_date date, units numeric, bid_price numeric,
               price_date date, is_stale boolean, value numeric)
LANGUAGE sql STABLE AS $$
  SELECT h.fund_code, h.party_id, v, h.units, p.bid_price, p.price_date, v - p.price_date > 5,
         round(h.units * p.bid_price, 2)
    FROM (SELECT u.fund_code, u.party_id, sum(u.units) AS units FROM fund_unit u GROUP BY 1, 2) AS h
    LEFT JOIN LATERAL (SELECT x.bid_price, x.price_date FROM fund_price x
                        WHERE x.fund_code = h.fund_code AND x.price_date <= v
                        ORDER BY x.price_date DESC LIMIT 1) AS p ON TRUE
$$;
