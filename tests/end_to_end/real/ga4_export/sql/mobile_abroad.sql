SELECT id FROM events GROUP BY id
HAVING 2 * count(*) FILTER (event_name = 'page_view' AND device = 'mobile') >= count(*) FILTER (event_name = 'page_view')
   AND count(*) FILTER (event_name = 'page_view') > 0
   AND arg_max(country, (ts, event_id)) FILTER (country IS NOT NULL) <> 'United States'
