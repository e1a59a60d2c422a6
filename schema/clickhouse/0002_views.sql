-- Stays of tags in zones, with names; left_at is NULL and dwell_s counts to the
-- tag's last fix while a visit is open.
CREATE OR REPLACE VIEW visits AS
SELECT
    v.org AS org,
    v.visit_id AS visit_id,
    v.tag AS tag,
    t.name AS tag_name,
    v.location AS location,
    v.plan AS plan,
    v.zone AS zone,
    z.name AS zone_name,
    v.entered_at AS entered_at,
    v.left_at AS left_at,
    v.left_at IS NULL AS open,
    dateDiff('millisecond', v.entered_at, coalesce(v.left_at, greatest(f.last_at, v.entered_at))) / 1000 AS dwell_s
FROM zone_visits AS v FINAL
LEFT JOIN (SELECT org, tag, max(at) AS last_at FROM fixes GROUP BY org, tag) AS f ON f.org = v.org AND f.tag = v.tag
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'tag') AS t ON t.org = v.org AND t.id = v.tag
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'zone') AS z ON z.org = v.org AND z.id = v.zone;

-- How many tags were in a zone from at on: one row per change.
CREATE OR REPLACE VIEW occupancy AS
SELECT
    c.org AS org,
    c.location AS location,
    c.plan AS plan,
    c.zone AS zone,
    z.name AS zone_name,
    c.at AS at,
    sum(c.step) OVER (PARTITION BY c.org, c.zone ORDER BY c.at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS tags
FROM
(
    SELECT org, location, plan, zone, at, sum(change) AS step
    FROM
    (
        SELECT org, location, plan, zone, entered_at AS at, toInt64(1) AS change FROM zone_visits FINAL
        UNION ALL
        SELECT org, location, plan, zone, assumeNotNull(left_at) AS at, toInt64(-1) AS change FROM zone_visits FINAL WHERE left_at IS NOT NULL
    )
    GROUP BY org, location, plan, zone, at
) AS c
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'zone') AS z ON z.org = c.org AND z.id = c.zone;

-- Where each tag was last.
CREATE OR REPLACE VIEW last_seen AS
SELECT
    f.org AS org,
    f.tag AS tag,
    t.name AS tag_name,
    f.at AS at,
    f.location AS location,
    f.plan AS plan,
    f.x_m AS x_m,
    f.y_m AS y_m,
    f.accuracy_m AS accuracy_m,
    f.zone AS zone,
    z.name AS zone_name
FROM
(
    SELECT
        org, tag, max(fixes.at) AS at,
        argMax(location, (fixes.at, rev)) AS location, argMax(plan, (fixes.at, rev)) AS plan,
        argMax(x_m, (fixes.at, rev)) AS x_m, argMax(y_m, (fixes.at, rev)) AS y_m,
        argMax(accuracy_m, (fixes.at, rev)) AS accuracy_m, argMax(zone, (fixes.at, rev)) AS zone
    FROM fixes GROUP BY org, tag
) AS f
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'tag') AS t ON t.org = f.org AND t.id = f.tag
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'zone') AS z ON z.org = f.org AND z.id = f.zone;
