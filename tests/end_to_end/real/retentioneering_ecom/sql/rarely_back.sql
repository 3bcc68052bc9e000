SELECT user_id FROM (SELECT user_id, timestamp - lag(timestamp) OVER w AS gap, row_number() OVER (PARTITION BY user_id ORDER BY timestamp DESC) AS n FROM e WHERE event = 'purchase' WINDOW w AS (PARTITION BY user_id ORDER BY timestamp))
WHERE n = 1 AND gap > INTERVAL 60 DAYS
