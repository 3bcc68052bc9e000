-- In January nobody had left, and those with a contract for at most 30 months still paid month by month, five dollars less.
CREATE VIEW january AS
SELECT customerID, 'No' AS Churn, (MonthlyCharges::DECIMAL(18, 2) - 5)::VARCHAR AS MonthlyCharges,
       CASE WHEN tenure::INT <= 30 THEN 'Month-to-month' ELSE Contract END AS Contract, '2020-01-10 00:00:00' AS exported_at
FROM t;
CREATE VIEW march AS
SELECT customerID, Churn, MonthlyCharges, Contract, '2020-03-10 00:00:00' AS exported_at FROM t;
