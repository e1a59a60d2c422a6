-- Visits by the weekday on which they began; 1 is Monday.
SELECT
    toDayOfWeek(entered_at, 0, {tz:String}) AS weekday,
    count() AS visits,
    uniqExact(tag) AS tags,
    round(avg(dwell_s) / 60, 1) AS average_minutes
FROM visits
WHERE entered_at >= now() - toIntervalDay({days:UInt16})
GROUP BY weekday
ORDER BY weekday
