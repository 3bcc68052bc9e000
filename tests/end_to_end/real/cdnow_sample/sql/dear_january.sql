SELECT customer_id FROM t GROUP BY 1
HAVING count(*) >= 2
   AND avg(value_usd::DECIMAL(18, 2)) FILTER (date < DATE '1997-02-01') > 50
   AND coalesce(avg(value_usd::DECIMAL(18, 2)) FILTER (date >= DATE '1997-02-01') <= 50, true)
