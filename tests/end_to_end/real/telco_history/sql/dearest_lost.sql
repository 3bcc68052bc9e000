SELECT customerID FROM march WHERE Churn = 'Yes'
QUALIFY row_number() OVER (PARTITION BY Contract ORDER BY MonthlyCharges::DECIMAL(18, 2) DESC, customerID) <= 10
