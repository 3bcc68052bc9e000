WITH home AS (
  SELECT id, country FROM (SELECT id, country, count(*) AS n, max(ts) AS latest FROM items GROUP BY id, country)
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY n DESC, latest DESC) = 1
), counted AS (SELECT id, count(*) AS n FROM orders GROUP BY id)
SELECT id FROM counted JOIN home USING (id)
QUALIFY row_number() OVER (PARTITION BY country ORDER BY n DESC, id) <= 3
