-- Observations whose times cannot be believed: set apart, so that they are in no
-- count, and kept for a month, so that somebody can see which clock is wrong. The
-- time of arrival orders them, since their own is what is in doubt.
CREATE TABLE IF NOT EXISTS quarantine
(
    org         UUID,
    device      UUID,
    at          DateTime64(3, 'UTC') COMMENT 'as sent, cut to 1970…2283' CODEC(Delta, ZSTD(1)),
    arrived_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    boot_id     LowCardinality(String),
    seq         UInt64 CODEC(Delta, ZSTD(1)),
    idx         UInt16 CODEC(T64, ZSTD(1)),
    reason      LowCardinality(String) COMMENT 'at_future, at_expired, sent_at_future',
    transmitter LowCardinality(String),
    rssi_cdbm   Int16 COMMENT 'hundredths of a dBm' CODEC(ZSTD(1)),
    keep_days   UInt16 DEFAULT 30 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(arrived_at)
ORDER BY (org, device, boot_id, seq, idx)
TTL toDateTime(arrived_at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 20000
SETTINGS non_replicated_deduplication_window = 1000;
