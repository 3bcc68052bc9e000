SELECT id FROM summer_orders GROUP BY id
HAVING strftime(timezone('Europe/London', min(ts)), '%m%d') BETWEEN '0702' AND '0715'
