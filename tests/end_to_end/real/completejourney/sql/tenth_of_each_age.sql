SELECT household_id FROM h LEFT JOIN (SELECT household_id::VARCHAR AS household_id, count(*) AS n FROM r GROUP BY 1) USING (household_id)
QUALIFY row_number() OVER (PARTITION BY age ORDER BY coalesce(n, 0) DESC, household_id) <= ceil(count(*) OVER (PARTITION BY age) / 10)
