CREATE OR REFRESH MATERIALIZED VIEW totals (
  CONSTRAINT positive EXPECT (amount > 0) ON VIOLATION FAIL UPDATE
) AS
SELECT channel, :country AS country, sum(amount) AS amount
FROM sales
WHERE amount > ${shop.least}
GROUP BY channel;
