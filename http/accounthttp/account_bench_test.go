package accounthttp_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/http/shelltest"
)

// p95 returns the 95th percentile in milliseconds.
func p95(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)*95/100].Microseconds()) / 1000
}

// BenchmarkLogin logs four people in at once, with all that it costs: the hash, the
// session and the entry in the audit log.
func BenchmarkLogin(b *testing.B) {
	const people = 4
	w := start(b)
	o, _ := w.organisation("o")
	clients := make([]*shelltest.Client, people)
	for i := range clients {
		w.Account(o, fmt.Sprintf("p%d@example.com", i), "viewer")
		clients[i] = w.Nobody()
	}
	var mu sync.Mutex
	var took []time.Duration
	for b.Loop() {
		var wg sync.WaitGroup
		for i, c := range clients {
			wg.Go(func() {
				began := time.Now()
				r := c.Do(http.MethodPost, login, body{"email": fmt.Sprintf("p%d@example.com", i), "password": shelltest.Password})
				if r.StatusCode != http.StatusOK {
					b.Errorf("got %d", r.StatusCode)
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(began))
			})
		}
		wg.Wait()
	}
	b.ReportMetric(p95(took), "p95-ms")
}

// BenchmarkPeople lists and searches 100,000 people of one organisation.
func BenchmarkPeople(b *testing.B) {
	w := start(b)
	o, owner := w.organisation("o")
	const fill = `INSERT INTO account (id, org, email, name, password_hash, role, confirmed_at)
		SELECT gen_random_uuid(), $1, 'person' || i || '@example.com', 'Person ' || i, '', 'viewer', now() FROM generate_series(1, 100000) i`
	for _, sql := range []string{fill, `INSERT INTO account_location SELECT a.id, a.org, l.id, true FROM account a, location l WHERE a.org = $1 AND l.org = a.org`} {
		if _, err := w.DB.In(postgres.AllOrganisations()).Exec(b.Context(), sql, o.ID); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := w.DB.In(postgres.AllOrganisations()).Exec(b.Context(), `SELECT count(*) FROM account`); err != nil {
		b.Fatal(err)
	}
	admin := w.enter(shelltest.AdminEmail)
	for name, ask := range map[string]func(){
		"list":   func() { owner.Want(200, "GET", users, nil, nil) },
		"search": func() { owner.Want(200, "GET", users+"?query=son+99999", nil, nil) },
		"all":    func() { admin.Want(200, "GET", "/api/v1/admin/users?query=person99998", nil, nil) },
	} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				ask()
				took = append(took, time.Since(began))
			}
			b.ReportMetric(p95(took), "p95-ms")
		})
	}
}
