SELECT DISTINCT bought.id
FROM items AS bought JOIN items AS back USING (id, stock_code)
WHERE bought.is_clean AND back.invoice LIKE 'C%'
  AND back.ts > bought.ts AND back.ts - bought.ts <= INTERVAL 720 HOURS
