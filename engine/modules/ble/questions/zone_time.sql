-- A visit that began before midnight counts with the part since then.
WITH toStartOfDay(now(), {tz:String}) AS today
SELECT
    zone_name,
    count() AS visits,
    uniqExact(tag) AS tags,
    round(sum(dateDiff('second', greatest(entered_at, today), ended)) / 3600, 2) AS hours
FROM
(
    SELECT zone, zone_name, tag, entered_at, entered_at + toIntervalMillisecond(toInt64(dwell_s * 1000)) AS ended
    FROM visits
)
WHERE ended > today
GROUP BY zone, zone_name
ORDER BY hours DESC
