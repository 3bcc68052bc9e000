-- The file as segctl sees it: rows with a customer, local London times as instants.
CREATE TABLE items AS
SELECT CustomerID::VARCHAR AS id, InvoiceNo AS invoice, StockCode AS stock_code, Quantity AS quantity, Country AS country,
       InvoiceDate AS local_time, timezone('Europe/London', InvoiceDate) AS ts, file_row_number AS line,
       InvoiceNo NOT LIKE '%C%' AND Quantity > 0 AND UnitPrice > 0 AS is_clean
FROM read_parquet('online_retail.parquet', file_row_number = true)
WHERE CustomerID IS NOT NULL;
-- One row an invoice, at the time of its first clean line.
CREATE TABLE orders AS
SELECT invoice, arg_min(id, line) AS id, arg_min(ts, line) AS ts FROM items WHERE is_clean GROUP BY invoice;
-- What was known at the end of 15 July 2011, in British summer time.
CREATE MACRO summer() AS timezone('Europe/London', TIMESTAMP '2011-07-16') - INTERVAL 1 MICROSECOND;
CREATE VIEW summer_items AS FROM items WHERE ts <= summer();
CREATE VIEW summer_orders AS FROM orders WHERE ts <= summer();
