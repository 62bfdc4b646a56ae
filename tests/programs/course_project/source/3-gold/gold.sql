USE SCHEMA gold;
CREATE OR REFRESH MATERIALIZED VIEW delays CLUSTER BY (name) AS
SELECT a.name, punctual, count(*) AS flights, max(delay) AS worst
FROM silver.flights f JOIN main.default.airlines a ON f.airline = a.code
GROUP BY ALL;
