SELECT customerID FROM t WHERE coalesce(try_cast(TotalCharges AS DECIMAL(18, 2)) < 20, true)
