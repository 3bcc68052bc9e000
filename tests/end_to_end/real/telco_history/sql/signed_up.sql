SELECT customerID FROM january JOIN march USING (customerID) WHERE january.Contract = 'Month-to-month' AND march.Contract <> 'Month-to-month'
