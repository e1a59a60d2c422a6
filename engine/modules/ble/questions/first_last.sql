-- When each tag first entered a zone on a day, and when it last left one.
WITH toStartOfDay(now() - toIntervalDay({days:UInt16}), {tz:String}) AS since
SELECT
    toDate(entered_at, {tz:String}) AS day,
    tag_name,
    toTimeZone(min(entered_at), {tz:String}) AS first_in,
    toTimeZone(max(entered_at + toIntervalMillisecond(toInt64(dwell_s * 1000))), {tz:String}) AS last_out,
    round(sum(dwell_s) / 3600, 2) AS hours_in_zones
FROM visits
WHERE top AND entered_at >= since
GROUP BY day, tag, tag_name
ORDER BY day, tag_name
