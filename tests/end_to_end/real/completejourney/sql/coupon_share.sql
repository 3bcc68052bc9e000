SELECT id FROM items GROUP BY id HAVING 20 * count(*) FILTER (coupon_disc > 0) >= count(*)
