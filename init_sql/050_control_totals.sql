-- What the source counts of itself: rows and money of every table by day. It travels through DMS like any table, and
-- gold_reconciliation compares it with what arrived. A schema of its own, so that `public` stays the insurer's.
CREATE SCHEMA IF NOT EXISTS control;

CREATE TABLE IF NOT EXISTS control.source_total (
  table_name TEXT NOT NULL,
  day        DATE NOT NULL,            -- on which the rows were last written (UTC): an update or a booking
  row_count  BIGINT NOT NULL,          -- 0 where the rows of the day were written again later, or deleted
  amount     NUMERIC(18,2),            -- sum of the amounts; null for a table without money
  counted_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (table_name, day)
);

-- Every table with the column that dates a row, and its money.
CREATE OR REPLACE FUNCTION control.counted_tables() RETURNS TABLE (table_name text, day text, amount text)
LANGUAGE sql IMMUTABLE AS $$
  VALUES ('party', '(updated_at AT TIME ZONE ''UTC'')::date', 'NULL::numeric'),
         ('party_address', '(updated_at AT TIME ZONE ''UTC'')::date', 'NULL::numeric'),
         ('product', '(updated_at AT TIME ZONE ''UTC'')::date', 'NULL::numeric'),
         ('agent', '(updated_at AT TIME ZONE ''UTC'')::date', 'NULL::numeric'),
         ('policy', '(updated_at AT TIME ZONE ''UTC'')::date', 'NULL::numeric'),
         ('policy_version', '(booked_at AT TIME ZONE ''UTC'')::date', 'annual_premium'),
         ('risk_object', '(updated_at AT TIME ZONE ''UTC'')::date', 'NULL::numeric'),
         ('coverage', '(updated_at AT TIME ZONE ''UTC'')::date', 'annual_premium'),
         ('premium_transaction', 'booked_on', 'amount'),
         ('invoice', '(updated_at AT TIME ZONE ''UTC'')::date', 'amount'),
         ('payment', '(updated_at AT TIME ZONE ''UTC'')::date', 'amount'),
         ('claim', '(updated_at AT TIME ZONE ''UTC'')::date', 'NULL::numeric'),
         ('claim_party', '(updated_at AT TIME ZONE ''UTC'')::date', 'NULL::numeric'),
         ('claim_transaction', 'accounting_date', 'amount'),
         ('fund_unit', '(updated_at AT TIME ZONE ''UTC'')::date', 'NULL::numeric'),
         ('fund_price', 'price_date', 'NULL::numeric')
$$;

-- Counts every table again and writes the days that changed.
CREATE OR REPLACE PROCEDURE control.count_rows() LANGUAGE plpgsql AS $$
DECLARE
  counted record;
BEGIN
  FOR counted IN SELECT * FROM control.counted_tables() LOOP
    EXECUTE format($sql$
      INSERT INTO control.source_total AS total (table_name, day, row_count, amount, counted_at)
      SELECT %1$L, day, coalesce(now_there.row_count, 0), now_there.amount, now()
      FROM (SELECT %2$s AS day, count(*) AS row_count, sum(%3$s) AS amount FROM public.%1$I GROUP BY 1) now_there
      FULL JOIN (SELECT day FROM control.source_total WHERE table_name = %1$L) before USING (day)
      WHERE day IS NOT NULL
      ON CONFLICT (table_name, day) DO UPDATE
        SET row_count = excluded.row_count, amount = excluded.amount, counted_at = excluded.counted_at
        WHERE (total.row_count, total.amount) IS DISTINCT FROM (excluded.row_count, excluded.amount)
      $sql$, counted.table_name, counted.day, counted.amount);
  END LOOP;
END $$;
