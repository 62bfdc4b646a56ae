-- What the pipeline cost in the last 30 days at list price, and an estimate for each table.
-- Billing knows the pipeline, not the table: a table's share is its share of the rows written.
USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);

WITH daily_cost AS (
  SELECT
    usage.usage_date,
    SUM(usage.usage_quantity) AS dbus,
    -- Corrections are negative rows of their own, so a plain sum is right.
    SUM(usage.usage_quantity * prices.pricing.effective_list.default) AS list_cost
  FROM system.billing.usage AS usage
  JOIN system.billing.list_prices AS prices
    ON usage.cloud = prices.cloud
    AND usage.sku_name = prices.sku_name
    AND usage.usage_unit = prices.usage_unit
    AND usage.usage_end_time >= prices.price_start_time
    AND (prices.price_end_time IS NULL OR usage.usage_end_time < prices.price_end_time)
  WHERE usage.usage_metadata.dlt_pipeline_id = :pipeline_id
    AND usage.usage_date >= current_date() - 30
  GROUP BY usage.usage_date
),
table_rows AS (
  SELECT
    CAST(timestamp AS DATE) AS usage_date,
    origin.dataset_name AS table_name,
    -- AUTO CDC counts the rows that it upserts, other flows those that they write.
    SUM(COALESCE(CAST(details:flow_progress.metrics.num_output_rows AS BIGINT), 0)
      + COALESCE(CAST(details:flow_progress.metrics.num_upserted_rows AS BIGINT), 0)) AS rows_written
  FROM insurance_event_log
  WHERE event_type = 'flow_progress' AND timestamp >= current_date() - 30
  GROUP BY ALL
  HAVING rows_written > 0
)
SELECT
  daily_cost.usage_date,
  COALESCE(table_rows.table_name, '(no rows written)') AS table_name,
  table_rows.rows_written,
  -- A day on which nothing was written has its cost in one row, so that the days add up.
  daily_cost.list_cost * COALESCE(
    table_rows.rows_written
      / SUM(table_rows.rows_written) OVER (PARTITION BY daily_cost.usage_date),
    1
  ) AS estimated_cost
FROM daily_cost
LEFT JOIN table_rows ON table_rows.usage_date = daily_cost.usage_date
ORDER BY daily_cost.usage_date DESC, estimated_cost DESC;
