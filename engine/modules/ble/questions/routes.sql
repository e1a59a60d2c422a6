-- The thirty commonest steps: a visit to one zone, and the same tag's next to another.
SELECT from_zone, to_zone, count() AS times, uniqExact(tag) AS tags
FROM
(
    SELECT
        tag,
        zone_name AS to_zone,
        lagInFrame(zone_name) OVER (PARTITION BY tag ORDER BY entered_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS from_zone
    FROM visits
    WHERE top AND entered_at >= now() - toIntervalDay({days:UInt16})
)
WHERE from_zone != '' AND from_zone != to_zone
GROUP BY from_zone, to_zone
ORDER BY times DESC, from_zone, to_zone
LIMIT 30
