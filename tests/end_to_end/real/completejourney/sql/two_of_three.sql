SELECT household_id FROM h
WHERE coalesce((home_ownership = 'Homeowner')::INT, 0) + coalesce((marital_status = 'Married')::INT, 0) + (kids_count <> '0')::INT >= 2
