SELECT id FROM summer_orders WHERE ts > timezone('Europe/London', TIMESTAMP '2011-04-16') - INTERVAL 1 MICROSECOND
GROUP BY id HAVING count(*) >= 3
