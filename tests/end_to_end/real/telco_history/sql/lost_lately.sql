SELECT customerID FROM march WHERE Churn = 'Yes'
