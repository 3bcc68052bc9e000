WITH latest AS (SELECT household_id, max(redemption_date) AS day FROM r WHERE campaign_id = 18 GROUP BY 1)
SELECT household_id::VARCHAR FROM latest JOIN r USING (household_id)
WHERE day + INTERVAL 14 DAYS < TIMESTAMP '2018-01-02'
GROUP BY household_id, day
HAVING count(*) FILTER (redemption_date BETWEEN day AND day + INTERVAL 14 DAYS) = 1
