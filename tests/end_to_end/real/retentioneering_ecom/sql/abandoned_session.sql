SELECT DISTINCT user_id FROM e AS a WHERE event = 'add_to_cart'
AND NOT EXISTS (FROM e AS b WHERE b.session_id = a.session_id AND b.event = 'purchase' AND b.timestamp BETWEEN a.timestamp AND a.timestamp + INTERVAL 1 HOUR)
