SELECT id FROM (SELECT id, ts, lead(ts) OVER w AS next, row_number() OVER w AS n FROM orders WINDOW w AS (PARTITION BY id ORDER BY ts, invoice))
WHERE n = 1 AND next - ts <= INTERVAL 720 HOURS
