-- Receivers that have heard no tag for so many hours; looked for in the last 30 days.
SELECT
    r.name AS receiver_name,
    if(o.last_heard = 0, NULL, toTimeZone(o.last_heard, {tz:String})) AS last_heard_at,
    o.heard AS observations_30d
FROM (SELECT id, name FROM names FINAL WHERE kind = 'receiver') AS r
LEFT JOIN
(
    SELECT receiver, max(at) AS last_heard, count() AS heard
    FROM observations
    WHERE at >= now() - toIntervalDay(30)
    GROUP BY receiver
) AS o ON o.receiver = r.id
WHERE o.last_heard < now() - toIntervalHour({hours:UInt16})
ORDER BY o.last_heard, receiver_name
