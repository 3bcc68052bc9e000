SELECT household_id FROM h JOIN (SELECT id AS household_id, sum(value) AS sales FROM items GROUP BY 1) USING (household_id)
QUALIFY row_number() OVER (PARTITION BY home_ownership ORDER BY sales DESC, household_id) <= 3
