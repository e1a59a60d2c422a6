-- The largest number of tags in each zone at once, and when that was last so.
SELECT
    zone_name,
    max(tags) AS most_tags,
    toTimeZone(argMax(at, (tags, at)), {tz:String}) AS at_time
FROM occupancy
WHERE at >= now() - toIntervalDay({days:UInt16})
GROUP BY zone, zone_name
ORDER BY most_tags DESC, zone_name
