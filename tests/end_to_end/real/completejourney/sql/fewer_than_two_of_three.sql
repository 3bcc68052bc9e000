SELECT household_id FROM h
WHERE coalesce((home_ownership = 'Homeowner')::INT, 1) + coalesce((marital_status = 'Married')::INT, 1) + (kids_count <> '0')::INT < 2
