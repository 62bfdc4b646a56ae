CREATE OR REFRESH STREAMING TABLE customers;

CREATE FLOW customers_cdc AS AUTO CDC INTO customers
FROM STREAM(customer_events)
KEYS (id)
APPLY AS DELETE WHEN op = 'D'
SEQUENCE BY seq
COLUMNS * EXCEPT (op, seq, file)
STORED AS SCD TYPE 2;

CREATE TEMPORARY VIEW current_customers AS
SELECT id, name, city FROM customers WHERE __END_AT IS NULL;

CREATE OR REFRESH MATERIALIZED VIEW revenue_by_city AS
SELECT city, sum(amount) AS revenue, count(*) AS orders
FROM orders JOIN current_customers ON customer_id = current_customers.id
GROUP BY city;
