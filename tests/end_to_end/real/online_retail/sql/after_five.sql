SELECT id FROM orders WHERE hour(timezone('Europe/London', ts)) >= 17 GROUP BY id HAVING count(*) >= 2
