SELECT household_id FROM h WHERE marital_status <> 'Married'
