-- Visits that go on. dwell_s counts to the tag's last fix.
SELECT
    zone_name,
    tag_name,
    toTimeZone(entered_at, {tz:String}) AS since,
    round(dwell_s / 60, 1) AS minutes
FROM visits
WHERE open
ORDER BY zone_name, tag_name
