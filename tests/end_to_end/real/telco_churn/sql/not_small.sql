SELECT customerID FROM t WHERE NOT try_cast(TotalCharges AS DECIMAL(18, 2)) < 20
