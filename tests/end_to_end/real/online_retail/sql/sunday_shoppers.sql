SELECT id FROM orders GROUP BY id HAVING 2 * count(*) FILTER (isodow(timezone('Europe/London', ts)) = 7) >= count(*)
