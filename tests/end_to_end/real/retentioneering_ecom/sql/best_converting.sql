SELECT user_id FROM (
  SELECT user_id, any_value(user_cohort) AS cohort, count(*) FILTER (event = 'purchase') AS bought, count(DISTINCT session_id) AS visits
  FROM e GROUP BY 1 HAVING bought > 0)
QUALIFY row_number() OVER (PARTITION BY cohort ORDER BY bought / visits DESC, user_id) <= 15
