SELECT id FROM (SELECT id, store_id, count(*) AS n, max(ts) AS latest FROM items GROUP BY 1, 2)
QUALIFY row_number() OVER (PARTITION BY id ORDER BY n DESC, latest DESC) = 1 AND store_id = 367
