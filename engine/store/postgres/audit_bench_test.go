package postgres_test

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// longLog writes n entries of many people to the organisation's log.
func longLog(tb testing.TB, db *postgres.DB, o schema.OrganisationID, n int) {
	tb.Helper()
	people := make([]schema.UserID, 50)
	for i := range people {
		people[i] = schema.NewID[schema.UserID]()
	}
	acts := make([]audit.Act, 0, 500)
	for i := range n {
		who := i % len(people)
		e := renamed(o, i)
		if i%10 != 0 {
			e = audit.Entry{Organisation: o, Action: audit.View, Object: audit.Object{Kind: "page", Name: fmt.Sprintf("/locations/%d", i%97)}}
		}
		by := audit.Actor{User: people[who], Email: fmt.Sprintf("person%d@example.com", who), Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(who)})}
		if acts = append(acts, audit.Act{Entry: e, By: by}); len(acts) == cap(acts) || i == n-1 {
			if err := db.AppendActs(tb.Context(), acts); err != nil {
				tb.Fatal(err)
			}
			acts = acts[:0]
		}
	}
}

// BenchmarkAuditLog asks a log of 100,000 entries for pages; p95-ms is what it is
// about.
func BenchmarkAuditLog(b *testing.B) {
	db := postgrestest.Open(b)
	o := postgrestest.Organisation(b, db, "mine")
	longLog(b, db, o.ID, 100_000)
	lines, _, err := db.AuditLog(b.Context(), postgres.In(o.ID), postgres.AuditFilter{}, postgres.Page{Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	middle := lines[0].At.Add(-time.Second)
	for name, f := range map[string]postgres.AuditFilter{
		"all": {}, "user": {User: lines[0].By.User}, "email": {Email: "person7@example.com"}, "action": {Action: audit.Change}, "no such action": {Action: audit.Tunnel},
		"days": {From: middle.Add(-time.Hour), To: middle}, "frequent text": {Query: "Locations/5"}, "rare text": {Query: "велосипед №99990"}, "no such text": {Query: "нет такого"},
		"user and text": {Email: "person7@example.com", Query: "нет такого"},
	} {
		for whose, scope := range map[string]postgres.Scope{"own": postgres.In(o.ID), "all": postgres.AllOrganisations()} {
			b.Run(name+"/"+whose, func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					began := time.Now()
					if _, _, err := db.AuditLog(b.Context(), scope, f, postgres.Page{}); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(began))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			})
		}
	}
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if r, err := db.VerifyAudit(b.Context(), postgres.AllOrganisations()); err != nil || r.Broken != 0 || r.Entries < 100_000 {
				b.Fatal(r, err)
			}
		}
	})
}

// BenchmarkContention makes 1,000 small changes of one organisation by eight at once;
// all wait for one chain.
func BenchmarkContention(b *testing.B) {
	db := postgrestest.Open(b)
	o := postgrestest.Organisation(b, db, "mine")
	for b.Loop() {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for i := range 125 {
					if err := db.Append(b.Context(), postgres.In(o.ID), renamed(o.ID, i)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "changes/s")
}
