SELECT customer_id FROM (SELECT customer_id, date - lag(date) OVER (PARTITION BY customer_id ORDER BY date) AS gap FROM t)
GROUP BY customer_id HAVING NOT max(gap) > 120
