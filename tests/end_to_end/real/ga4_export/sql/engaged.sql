SELECT id FROM params WHERE key = 'engagement_time_msec' GROUP BY id HAVING sum(number_value) >= 10000
