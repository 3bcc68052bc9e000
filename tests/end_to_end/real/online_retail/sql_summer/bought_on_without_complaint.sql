WITH start AS (
  FROM summer_orders WHERE ts > summer() - INTERVAL 1440 HOURS
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY ts, invoice) = 1
)
SELECT DISTINCT a.id FROM start AS a JOIN summer_orders AS b USING (id)
WHERE (b.ts, b.invoice) > (a.ts, a.invoice) AND b.ts - a.ts <= INTERVAL 504 HOURS
  AND NOT EXISTS (FROM items AS c WHERE c.id = a.id AND c.invoice LIKE 'C%' AND c.ts BETWEEN a.ts AND b.ts)
