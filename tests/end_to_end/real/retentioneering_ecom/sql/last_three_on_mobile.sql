SELECT user_id FROM (FROM e WHERE event = 'purchase' QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY timestamp DESC) <= 3)
GROUP BY user_id HAVING 10 * count(*) FILTER (platform = 'mobile') >= 6 * count(*)
