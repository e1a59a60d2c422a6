-- How many tags were in zones at once, on average, by hour of the day. Each visit is
-- divided at full hours; parts of zones are left out, since their visits lie within
-- those of the whole (top).
WITH now() - toIntervalDay({days:UInt16}) AS since
SELECT
    toHour(hour, {tz:String}) AS hour_of_day,
    round(sum(seconds) / 3600 / {days:UInt16}, 2) AS average_tags
FROM
(
    SELECT
        arrayJoin(arrayMap(
            n -> toStartOfHour(began, {tz:String}) + toIntervalHour(n),
            range(toUInt32(dateDiff('hour', began, ended, {tz:String})) + 1)
        )) AS hour,
        dateDiff('second', greatest(began, hour), least(ended, hour + toIntervalHour(1))) AS seconds
    FROM
    (
        SELECT
            greatest(toDateTime(entered_at), since) AS began,
            toDateTime(entered_at + toIntervalMillisecond(toInt64(dwell_s * 1000))) AS ended
        FROM visits
        WHERE top
    )
    WHERE ended > began
)
GROUP BY hour_of_day
ORDER BY hour_of_day
