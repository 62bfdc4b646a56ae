-- customers as change events, orders as they come
CREATE OR REFRESH STREAMING TABLE customer_events
AS SELECT * EXCEPT (_rescued_data), _metadata.file_name AS file
FROM STREAM read_files('/Volumes/main/default/landing/customers', format => 'json',
                       schemaHints => 'seq INT');

CREATE OR REFRESH STREAMING TABLE orders (
  CONSTRAINT `known customer` EXPECT (customer_id IS NOT NULL) ON VIOLATION DROP ROW
)
AS SELECT CAST(id AS INT) AS id, CAST(customer_id AS INT) AS customer_id,
          CAST(amount AS DECIMAL(10, 2)) AS amount
FROM STREAM read_files('/Volumes/main/default/landing/orders', format => 'csv', header => true);
