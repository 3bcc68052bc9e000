SELECT household_id FROM h WHERE marital_status IS DISTINCT FROM 'Married'
