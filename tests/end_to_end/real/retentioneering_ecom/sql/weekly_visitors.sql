SELECT user_id FROM e WHERE timestamp >= TIMESTAMP '2024-07-01' - INTERVAL 60 DAYS
GROUP BY user_id HAVING count(DISTINCT date_trunc('week', timestamp)) >= 4 AND count(*) FILTER (event = 'purchase') = 0
