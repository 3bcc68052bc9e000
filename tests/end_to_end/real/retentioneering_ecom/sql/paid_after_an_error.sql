SELECT DISTINCT a.user_id FROM e AS a JOIN e AS b USING (session_id)
WHERE a.event = 'payment_error' AND b.event = 'purchase' AND b.timestamp > a.timestamp AND b.timestamp - a.timestamp <= INTERVAL 30 MINUTES
AND NOT EXISTS (FROM e AS c WHERE c.session_id = a.session_id AND c.event = 'support_chat' AND c.timestamp BETWEEN a.timestamp AND b.timestamp)
