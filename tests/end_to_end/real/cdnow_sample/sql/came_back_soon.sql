-- Two purchases of one day follow one another; which is the first does not change their number.
SELECT customer_id FROM (SELECT customer_id, date, lead(date) OVER (PARTITION BY customer_id ORDER BY date) AS next FROM t)
WHERE next - date <= 30 GROUP BY customer_id HAVING count(*) >= 3
