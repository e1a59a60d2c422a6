-- Registered tags without a fix for so many hours, those never seen first.
SELECT
    t.name AS tag_name,
    if(s.at = 0, NULL, toTimeZone(s.at, {tz:String})) AS last_seen_at,
    s.zone_name AS last_zone
FROM (SELECT id, name FROM names FINAL WHERE kind = 'tag') AS t
LEFT JOIN last_seen AS s ON s.tag = t.id
WHERE s.at < now() - toIntervalHour({hours:UInt16})
ORDER BY s.at, tag_name
