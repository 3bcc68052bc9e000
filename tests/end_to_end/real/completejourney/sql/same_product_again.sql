SELECT DISTINCT id FROM items GROUP BY id, product_id
HAVING count(*) FILTER (ts >= '2017-10-01' AND ts < '2018-01-01') >= 10 AND count(*) FILTER (ts >= '2017-01-01' AND ts < '2017-02-01') = 0
