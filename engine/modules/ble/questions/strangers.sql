-- The hundred loudest transmitters that are nobody's tag; register them under Tags.
SELECT
    transmitter,
    count() AS heard,
    round(max(rssi_cdbm) / 100, 1) AS loudest_dbm,
    toTimeZone(max(at), {tz:String}) AS last_heard
FROM observations FINAL
WHERE tag = toUUID('00000000-0000-0000-0000-000000000000') AND at >= now() - toIntervalHour({hours:UInt16})
GROUP BY transmitter
ORDER BY loudest_dbm DESC, transmitter
LIMIT 100
