SELECT customer_id FROM (SELECT customer_id, count(DISTINCT date) AS days FROM t GROUP BY 1)
QUALIFY row_number() OVER (ORDER BY days, customer_id) <= 100
