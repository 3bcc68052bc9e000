SELECT DISTINCT id FROM summer_orders WHERE ts >= timezone('Europe/London', TIMESTAMP '2011-07-09')
