SELECT DISTINCT v.id FROM events v JOIN events s USING (id)
WHERE v.event_name = 'page_view' AND s.event_name = 'scroll'
  AND (s.ts > v.ts OR (s.ts = v.ts AND s.event_id > v.event_id)) AND s.ts - v.ts <= 60000000
