package postgres_test

import (
	"slices"
	"testing"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
)

// Lists of 100,000 devices: a page, the last page, and searches that find nearly nothing
// and so read everything.
func BenchmarkDevices(b *testing.B) {
	db := postgrestest.Open(b)
	o, small := postgrestest.Organisation(b, db, "o"), postgrestest.Organisation(b, db, "small")
	const fill = `INSERT INTO device (id, org, mac, name, online, last_seen)
		SELECT gen_random_uuid(), CASE WHEN i % 100 = 0 THEN $2::uuid ELSE $1 END, ('0600' || lpad(to_hex(i), 8, '0'))::macaddr, 'Device of corridor ' || i,
			i % 3 = 0, CASE WHEN i % 5 > 0 THEN now() END FROM generate_series(1, 100000) i`
	if _, err := db.Pool().Exec(b.Context(), fill, o.ID, small.ID); err != nil {
		b.Fatal(err)
	}
	all, one := postgres.AllOrganisations(), postgres.In(o.ID)
	for _, c := range []struct {
		name   string
		scope  postgres.Scope
		filter postgres.DeviceFilter
		after  string
	}{
		{"first page", all, postgres.DeviceFilter{}, ""},
		{"last page", all, postgres.DeviceFilter{}, "99900"},
		{"organisation", one, postgres.DeviceFilter{}, "98000"},
		{"small organisation", postgres.In(small.ID), postgres.DeviceFilter{}, "50000"},
		{"online", one, postgres.DeviceFilter{Status: "online"}, "50000"},
		{"never", all, postgres.DeviceFilter{Status: "never"}, "50000"},
		{"number", one, postgres.DeviceFilter{Query: "#77777"}, ""},
		{"digits", one, postgres.DeviceFilter{Query: "77777"}, ""},
		{"name", one, postgres.DeviceFilter{Query: "corridor 99999"}, ""},
		{"nothing", all, postgres.DeviceFilter{Query: "no such thing"}, ""},
		{"part of an address", one, postgres.DeviceFilter{MAC: "01:86:9"}, ""},
		{"whole address", all, postgres.DeviceFilter{MAC: "06:00:00:01:86:9f"}, ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			page := postgres.Page{}
			if c.after != "" {
				page.After = postgres.Cursor{Key: c.after, ID: o.ID.String()}
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if _, _, err := db.Devices(b.Context(), c.scope, c.filter, page); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
