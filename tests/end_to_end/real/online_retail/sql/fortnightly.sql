SELECT id FROM orders GROUP BY id
HAVING count(*) >= 3 AND (max(epoch_us(ts)) - min(epoch_us(ts))) <= 14 * 86400000000 * (count(*) - 1)
