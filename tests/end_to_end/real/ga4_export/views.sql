CREATE TABLE events AS
SELECT user_pseudo_id, 'user_pseudo_id:' || user_pseudo_id AS id, event_name, event_timestamp AS ts, geo.country AS country, device.category AS device, event_params,
       event_timestamp || '/' || event_name || '/' || event_bundle_sequence_id AS event_id
FROM e;
CREATE TABLE params AS
SELECT id, ts, event_name, p.key AS key, p.value.string_value AS text_value, p.value.int_value AS number_value
FROM (SELECT id, ts, event_name, unnest(event_params) AS p FROM events);
