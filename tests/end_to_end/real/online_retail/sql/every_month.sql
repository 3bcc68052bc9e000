SELECT id FROM orders GROUP BY id HAVING count(DISTINCT date_trunc('month', timezone('Europe/London', ts))) >= 10
