-- The fifty longest visits; an open one counts to the tag's last fix.
SELECT
    tag_name,
    zone_name,
    toTimeZone(entered_at, {tz:String}) AS entered,
    toTimeZone(left_at, {tz:String}) AS left,
    round(dwell_s / 3600, 2) AS hours
FROM visits
WHERE entered_at >= now() - toIntervalDay({days:UInt16})
ORDER BY dwell_s DESC
LIMIT 50
