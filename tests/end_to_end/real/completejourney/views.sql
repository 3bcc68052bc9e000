CREATE TABLE items AS
SELECT household_id::VARCHAR AS id, basket_id, store_id, product_id, sales_value::DECIMAL(18, 2) AS value, coupon_disc,
       transaction_timestamp AS ts FROM t;
