package postgres

import (
	"context"
	"time"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Seen is what the engine knows of a device's presence.
type Seen struct {
	Online bool
	At     time.Time // when it was last heard of
}

// SawDevices stores when devices were last heard of, and whether they are online; an
// older time changes no newer one. It announces nothing: lists read it, the engine
// knows it already.
func (db *DB) SawDevices(ctx context.Context, seen map[schema.DeviceID]Seen) error {
	ids := make([]string, 0, len(seen))
	times := make([]time.Time, 0, len(seen))
	online := make([]bool, 0, len(seen))
	for id, s := range seen {
		ids, times, online = append(ids, id.String()), append(times, s.At), append(online, s.Online)
	}
	const update = `UPDATE device d SET last_seen = greatest(d.last_seen, s.at), online = s.online
		FROM unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) AS s (id, at, online) WHERE d.id = s.id`
	_, err := db.In(AllOrganisations()).Exec(ctx, update, ids, times, online)
	return Explain(err, "store when devices were seen", nil)
}

// NobodyOnline notes that no device is connected, as after a start.
func (db *DB) NobodyOnline(ctx context.Context) error {
	_, err := db.In(AllOrganisations()).Exec(ctx, `UPDATE device SET online = false WHERE online`)
	return Explain(err, "note that no device is online", nil)
}

// ReportDevices stores what devices say of themselves; the reports were checked. It
// announces nothing and is no entry in the log: they come every minute.
func (db *DB) ReportDevices(ctx context.Context, reports map[schema.DeviceID]wire.Report) error {
	var ids, versions, modules, health []string
	var running []int64
	for id, r := range reports {
		ids, versions, running = append(ids, id.String()), append(versions, r.Version), append(running, r.ConfigVersion)
		modules, health = append(modules, string(r.ModulesJSON())), append(health, string(r.HealthJSON()))
	}
	const update = `UPDATE device d SET version = r.version, modules = r.modules::jsonb, health = r.health::jsonb,
			config_running = nullif(r.running, 0), reported_at = now()
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS r (id, version, modules, health, running) WHERE d.id = r.id`
	_, err := db.In(AllOrganisations()).Exec(ctx, update, ids, versions, modules, health, running)
	return Explain(err, "store what devices report", nil)
}
