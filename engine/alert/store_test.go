package alert_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/alert"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// world is an organisation with a location, over a real database.
type world struct {
	t    *testing.T
	db   *postgres.DB
	org  postgres.Organisation
	site postgres.Location
	jobs *jobs.Jobs
	*alert.Service
}

func newWorld(t *testing.T, configure func(*alert.Config)) *world {
	t.Helper()
	w := &world{t: t, db: postgrestest.Open(t)}
	w.org = postgrestest.Organisation(t, w.db, "Canteen", "ble")
	var err error
	if w.site, err = w.db.CreateLocation(t.Context(), w.org.ID, postgres.Location{Name: "Hall", TimeZone: "Europe/Moscow"}); err != nil {
		t.Fatal(err)
	}
	w.open(configure)
	return w
}

// open makes the service, as a server that starts does.
func (w *world) open(configure func(*alert.Config)) {
	w.t.Helper()
	log := slog.New(slog.DiscardHandler)
	queue, err := jobs.New(jobs.Config{DB: w.db, Log: log, Poll: 20 * time.Millisecond})
	if err != nil {
		w.t.Fatal(err)
	}
	mails, err := mail.New(mail.Config{DB: w.db, Log: log, BaseURL: "https://beacon.example.com"})
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := alert.Config{
		DB: w.db, Jobs: queue, Mail: mails, Log: log, Key: bytes.Repeat([]byte("k"), 32), AllowPrivate: true,
		Pause: func(int) time.Duration { return time.Millisecond },
	}
	if configure != nil {
		configure(&cfg)
	}
	w.jobs = queue
	if w.Service, err = alert.New(cfg); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) scope() postgres.Scope { return postgres.In(w.org.ID) }

// rule stores a rule of the kind, shown in the console.
func (w *world) rule(kind alert.Kind, change func(*alert.Rule)) alert.Rule {
	w.t.Helper()
	r := alert.Rule{Name: string(kind), Enabled: true, Condition: alert.Condition{Kind: kind, Location: w.site.ID}, Notify: alert.Notify{Console: true}}
	if change != nil {
		change(&r)
	}
	r, err := w.CreateRule(w.t.Context(), w.scope(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// A rule is stored, read, changed and removed as it was said, and each is recorded.
func TestRules(t *testing.T) {
	w := newWorld(t, nil)
	zone, tag := schema.NewID[schema.ZoneID](), schema.NewID[schema.TagID]()
	r := w.rule(alert.Stay, func(r *alert.Rule) {
		r.Zones, r.Tags, r.Types, r.After = []schema.ZoneID{zone}, []schema.TagID{tag}, []string{"asset"}, 10*time.Minute
		r.Schedule = &alert.Schedule{Days: []int{1, 5}, From: "22:00", To: "06:00"}
	})
	if r.LocationName != "Hall" || len(r.Zones) != 1 || r.Zones[0] != zone || r.Tags[0] != tag || r.Types[0] != "asset" || r.After != 10*time.Minute || r.Schedule.To != "06:00" {
		t.Errorf("%+v", r)
	}
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	muted, err := w.ChangeRule(t.Context(), w.scope(), r.ID, func(r *alert.Rule) error { r.MutedUntil = until; return nil })
	if err != nil || !muted.MutedUntil.Equal(until) || !muted.Since.Equal(r.Since) {
		t.Errorf("%+v, %v", muted, err)
	}
	other, err := w.ChangeRule(t.Context(), w.scope(), r.ID, func(r *alert.Rule) error { r.After = time.Hour; return nil })
	if err != nil || !other.Since.After(r.Since) {
		t.Errorf("a rule with another condition begins anew: %+v, %v", other, err)
	}
	if err := w.DeleteRule(t.Context(), w.scope(), r.ID); err != nil {
		t.Error(err)
	}
	if _, err := w.Rule(t.Context(), w.scope(), r.ID); schema.KindOf(err) != schema.NotFound {
		t.Errorf("a deleted rule: %v", err)
	}
}

// However many are added at once, there are never more than the bound.
func TestBoundsHold(t *testing.T) {
	w := newWorld(t, nil)
	fill := func(sql string) {
		t.Helper()
		if _, err := w.db.Pool().Exec(t.Context(), sql, w.org.ID); err != nil {
			t.Fatal(err)
		}
	}
	fill(`INSERT INTO webhook (id, org, name, url, secret) SELECT gen_random_uuid(), $1, 'w' || n, 'https://example.org', '' FROM generate_series(1, 49) n`)
	fill(`INSERT INTO alert_rule (id, org, location, name, kind) SELECT gen_random_uuid(), $1, l.id, 'r' || n, 'enter' FROM generate_series(1, 499) n, location l WHERE l.org = $1`)
	const callers = 8
	for what, add := range map[string]func(i int) error{
		"rule": func(i int) error {
			_, err := w.CreateRule(t.Context(), w.scope(), alert.Rule{
				Name: fmt.Sprint(i), Condition: alert.Condition{Kind: alert.Enter, Location: w.site.ID}, Notify: alert.Notify{Console: true},
			})
			return err
		},
		"webhook": func(i int) error {
			_, _, err := w.CreateWebhook(t.Context(), alert.Webhook{Organisation: w.org.ID, Name: fmt.Sprint(i), URL: "https://example.org"})
			return err
		},
	} {
		results := make(chan error, callers)
		for i := range callers {
			go func() { results <- add(i) }()
		}
		added := 0
		for range callers {
			if err := <-results; err == nil {
				added++
			} else if schema.KindOf(err) != schema.TooLarge {
				t.Errorf("%s: %v", what, err)
			}
		}
		if added != 1 {
			t.Errorf("%d of the kind %s were added where there was room for one", added, what)
		}
	}
}

// Spans are written without parts that are zero, and without leaving any out.
func TestSpans(t *testing.T) {
	for seconds, want := range map[int]string{1: "1 s", 60: "1 min", 90: "1 min 30 s", 3600: "1 h", 3605: "1 h 5 s", 5400: "1 h 30 min", 3661: "1 h 1 min 1 s"} {
		a := alert.Alert{Kind: alert.Stay, Bound: seconds}
		if got := alert.Sentence(mail.English, a, time.UTC); !strings.Contains(got, "more than "+want+" ·") {
			t.Errorf("%d: %q, want %q", seconds, got, want)
		}
	}
}
