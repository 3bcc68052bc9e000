SELECT customer_id FROM (SELECT customer_id, sum(value_usd::DECIMAL(18, 2)) AS revenue FROM t GROUP BY 1 HAVING count(DISTINCT date) >= 2)
QUALIFY row_number() OVER (ORDER BY revenue DESC, customer_id) <= ceil(count(*) OVER () / 10)
