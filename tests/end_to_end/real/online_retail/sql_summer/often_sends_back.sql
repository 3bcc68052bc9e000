SELECT id FROM summer_orders AS o
WHERE ts > timezone('Europe/London', TIMESTAMP '2011-01-16') - INTERVAL 1 MICROSECOND
  AND EXISTS (FROM summer_items AS c WHERE c.id = o.id AND c.invoice LIKE 'C%' AND c.ts > o.ts AND c.ts - o.ts <= INTERVAL 168 HOURS)
GROUP BY id HAVING count(*) >= 2
