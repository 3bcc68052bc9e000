SELECT customerID FROM t WHERE try_cast(TotalCharges AS DECIMAL(18, 2)) < MonthlyCharges::DECIMAL(18, 2) * tenure::INT
