-- What radios say. Identity of a row: (device, boot_id, seq, idx); a frame that
-- is sent again replaces itself. Read it with FINAL to count.
CREATE TABLE IF NOT EXISTS observations
(
    org         UUID,
    device      UUID,
    at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    boot_id     LowCardinality(String),
    seq         UInt64 CODEC(Delta, ZSTD(1)),
    idx         UInt16 CODEC(T64, ZSTD(1)),
    tag         UUID COMMENT 'zero when the transmitter was no registered tag' CODEC(ZSTD(1)),
    transmitter LowCardinality(String),
    rssi_cdbm   Int16 COMMENT 'hundredths of a dBm' CODEC(ZSTD(1)),
    receiver    UUID COMMENT 'zero while the device is on no plan',
    location    UUID,
    plan        UUID,
    late        Bool COMMENT 'older than the tag''s watermark: stored, did not move the live tag',
    arrived_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    keep_days   UInt16 COMMENT '65535 = keep' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (org, device, at, boot_id, seq, idx)
TTL toDateTime(at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 65535
SETTINGS non_replicated_deduplication_window = 1000;

-- Position estimates, thinned: a zone change, a move of more than
-- max(1 m, accuracy / 2), or 30 s. Each holds for valid_for_ms.
CREATE TABLE IF NOT EXISTS fixes
(
    org          UUID,
    tag          UUID,
    at           DateTime64(3, 'UTC') COMMENT 'whole event second' CODEC(Delta, ZSTD(1)),
    location     UUID,
    plan         UUID,
    x_m          Float32 CODEC(ZSTD(1)),
    y_m          Float32 CODEC(ZSTD(1)),
    accuracy_m   Float32 COMMENT 'radius that holds the tag with 68 %' CODEC(ZSTD(1)),
    zone         UUID COMMENT 'zero: outside zones',
    receiver     UUID COMMENT 'the one that heard it loudest',
    rssi_cdbm    Int16 CODEC(ZSTD(1)),
    receivers    UInt8,
    valid_for_ms UInt32 CODEC(ZSTD(1)),
    rev          UInt64 CODEC(Delta, ZSTD(1)),
    keep_days    UInt16 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(rev)
PARTITION BY toDate(at)
ORDER BY (org, tag, at)
TTL toDateTime(at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 65535
SETTINGS non_replicated_deduplication_window = 1000;

-- One row per stay of a tag in a zone, written at entry (left_at NULL) and
-- again at exit with a higher rev. Analysts read the view visits.
CREATE TABLE IF NOT EXISTS zone_visits
(
    org        UUID,
    tag        UUID,
    entered_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    visit_id   UUID,
    location   UUID,
    plan       UUID,
    zone       UUID,
    left_at    Nullable(DateTime64(3, 'UTC')),
    rev        UInt64 CODEC(Delta, ZSTD(1)),
    keep_days  UInt16 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(rev)
PARTITION BY toYYYYMM(entered_at)
ORDER BY (org, tag, entered_at, visit_id)
TTL toDateTime(entered_at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 65535
SETTINGS non_replicated_deduplication_window = 1000;

-- What people call things, copied from the relational store when it changes,
-- so that an analyst reads names and not ids.
CREATE TABLE IF NOT EXISTS names
(
    org  UUID,
    kind LowCardinality(String) COMMENT 'location, plan, zone, receiver, device, tag',
    id   UUID,
    name String,
    rev  UInt64
)
ENGINE = ReplacingMergeTree(rev)
ORDER BY (org, kind, id);
