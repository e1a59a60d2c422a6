-- DateTime ends in 2106: a row kept for 80 years or more would get an end that
-- wrapped into the past, and go at once. From 20,000 days (54 years) on, no end.
ALTER TABLE observations MODIFY TTL toDateTime(at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 20000;

ALTER TABLE fixes MODIFY TTL toDateTime(at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 20000;

ALTER TABLE zone_visits MODIFY TTL toDateTime(entered_at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 20000;
