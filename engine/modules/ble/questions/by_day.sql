-- Visits and visitors of each zone by day.
SELECT
    toDate(entered_at, {tz:String}) AS day,
    zone_name,
    count() AS visits,
    uniqExact(tag) AS tags
FROM visits
WHERE entered_at >= toStartOfDay(now() - toIntervalDay({days:UInt16}), {tz:String})
GROUP BY day, zone, zone_name
ORDER BY day, zone_name
