SELECT id FROM (SELECT id, max(ts) AS ts FROM events WHERE event_name = 'session_start' GROUP BY id) s
WHERE NOT EXISTS (FROM events e WHERE e.id = s.id AND e.event_name IN ('user_engagement', 'scroll') AND e.ts BETWEEN s.ts AND s.ts + 1800000000)
