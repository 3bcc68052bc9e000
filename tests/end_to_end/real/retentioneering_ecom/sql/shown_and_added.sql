SELECT user_id FROM e AS a WHERE event = 'product_view'
AND EXISTS (FROM e AS b WHERE b.session_id = a.session_id AND b.event = 'add_to_cart' AND b.timestamp > a.timestamp AND b.timestamp <= a.timestamp + INTERVAL 2 MINUTES)
GROUP BY user_id HAVING count(*) >= 3
