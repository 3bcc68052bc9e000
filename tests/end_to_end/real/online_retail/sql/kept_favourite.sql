SELECT DISTINCT id FROM items
WHERE ts >= timezone('Europe/London', TIMESTAMP '2011-12-11') - INTERVAL 2160 HOURS
GROUP BY id, stock_code
HAVING count(*) FILTER (quantity > 0) >= 5 AND count(*) FILTER (invoice LIKE 'C%') = 0
