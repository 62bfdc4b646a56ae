-- Databricks notebook source
-- MAGIC %md
-- MAGIC # Payments
-- MAGIC The SQL of the first years: `STREAMING LIVE TABLE`, `LIVE.` before every name, text in double quotes.

-- COMMAND ----------

CREATE OR REFRESH STREAMING LIVE TABLE payments_raw
COMMENT "payments as they arrive"
TBLPROPERTIES ("quality" = "bronze")
AS SELECT * FROM cloud_files(
  "/mnt/landing/payments", "csv", map("header", "true", "cloudFiles.inferColumnTypes", "true")
)

-- COMMAND ----------

CREATE STREAMING LIVE TABLE customers_raw
AS SELECT * FROM cloud_files("dbfs:/mnt/landing/customers", "json", map("schema", "id INT, name STRING, operation STRING, at INT"))

-- COMMAND ----------

CREATE LIVE TABLE kinds AS SELECT col1 AS id, col2 AS name FROM VALUES (1, "card"), (2, "cash")

-- COMMAND ----------

-- only payments with an amount; the others are counted
CREATE OR REFRESH STREAMING LIVE TABLE payments (
  CONSTRAINT `amount is known` EXPECT (amount IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT positive EXPECT (amount > 0)
)
PARTITIONED BY (kind)
COMMENT "payments with the name of their kind"
AS SELECT p.id, p.amount, k.name AS kind
FROM STREAM(LIVE.payments_raw) p INNER JOIN LIVE.kinds k ON p.kind_id = k.id

-- COMMAND ----------

CREATE OR REFRESH STREAMING LIVE TABLE customers;

APPLY CHANGES INTO LIVE.customers
FROM STREAM(LIVE.customers_raw)
KEYS (id)
APPLY AS DELETE WHEN operation = "DELETE"
SEQUENCE BY at
COLUMNS * EXCEPT (operation, at)

-- COMMAND ----------

CREATE OR REFRESH LIVE TABLE by_kind
COMMENT "one row for each kind"
AS SELECT kind, sum(amount) AS amount, count(*) AS payments FROM LIVE.payments GROUP BY kind

-- COMMAND ----------

CREATE TEMPORARY LIVE TABLE test_unique_id (
  CONSTRAINT unique_id EXPECT (n = 1) ON VIOLATION FAIL UPDATE
)
AS SELECT id, count(*) AS n FROM LIVE.payments GROUP BY id
