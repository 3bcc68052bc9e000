SELECT DISTINCT v.id FROM events v JOIN events s USING (id)
WHERE v.event_name = 'first_visit' AND s.event_name IN ('page_view', 'session_start')
  AND (s.ts > v.ts OR (s.ts = v.ts AND s.event_id > v.event_id)) AND s.ts - v.ts <= 1000000
