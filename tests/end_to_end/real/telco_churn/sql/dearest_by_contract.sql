SELECT customerID FROM t WHERE Churn = 'No'
QUALIFY row_number() OVER (PARTITION BY Contract ORDER BY MonthlyCharges::DECIMAL(18, 2) DESC, customerID) <= 20
