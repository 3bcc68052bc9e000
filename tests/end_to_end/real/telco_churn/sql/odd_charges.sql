SELECT customerID FROM (SELECT customerID, try_cast(TotalCharges AS DECIMAL(18, 2)) AS total, MonthlyCharges::DECIMAL(18, 2) * tenure::INT AS expected FROM t)
WHERE expected <> 0 AND 10 * abs(total - expected) > expected
