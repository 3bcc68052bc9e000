SELECT id FROM (SELECT id, ts, lead(ts) OVER w AS next, row_number() OVER w AS n FROM orders WINDOW w AS (PARTITION BY id ORDER BY ts, invoice))
WHERE n = 1 AND coalesce(next - ts > INTERVAL 1440 HOURS, true)
  AND ts + INTERVAL 1440 HOURS < timezone('Europe/London', TIMESTAMP '2011-12-11')
