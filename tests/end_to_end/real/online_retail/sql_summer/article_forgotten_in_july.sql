SELECT DISTINCT id FROM summer_items WHERE quantity > 0 GROUP BY id, stock_code
HAVING bool_or(strftime(local_time, '%Y-%m') = '2011-05') AND bool_or(strftime(local_time, '%Y-%m') = '2011-06')
   AND NOT bool_or(local_time >= '2011-07-01')
