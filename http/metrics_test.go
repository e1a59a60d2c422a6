package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

// series returns the labels of a metric's series and their counts.
func series(t *testing.T, reg *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			found[strings.Join(labels, " ")] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return found
}

// What a caller may choose freely - the path, the method, the id - makes no
// series of its own.
func TestRequestsAreCountedByRoute(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := shelltest.Start(t, func(c *shell.Config) { c.Metrics = shell.NewMetrics(reg) }, nil)
	c := s.Nobody()
	for _, path := range []string{"/livez", "/api/v1/nothing", "/nobody/knows", "/api/v1/auth%2fme", "//x"} {
		c.Do("GET", path, nil)
	}
	c.Do("BREW", "/livez", nil)
	c.Do("GET", me, nil)
	got := series(t, reg, "mybeacon_http_requests_seconds")
	want := map[string]float64{
		"code=200 route=GET /livez": 1, "code=404 route=unmatched": 1, "code=400 route=unmatched": 2,
		"code=404 route=/": 1, "code=401 route=GET /api/v1/auth/me": 1,
	}
	for labels, n := range want {
		if got[labels] != n {
			t.Errorf("%s: %g, want %g", labels, got[labels], n)
		}
	}
	known := append(s.Patterns(), "unmatched", "/")
	for labels := range got {
		if _, route, _ := strings.Cut(labels, "route="); !slices.Contains(known, route) {
			t.Errorf("the label %q is in no closed set", labels)
		}
	}
}

func TestAuthFailuresAreCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := shelltest.Start(t, func(c *shell.Config) { c.Metrics = shell.NewMetrics(reg) }, nil)
	c := s.Nobody()
	c.Do("GET", me, nil) // shows nothing
	c.Do("POST", login, credentials(shelltest.AdminEmail, "wrong"))
	c.Do("GET", me, nil, "Authorization", "Bearer nobody")
	c.Do("GET", me, nil, "Cookie", "mybeacon_session=stale")
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "/api/v1/live?ticket=old", nil)
	if _, _, err := s.Viewer(r); err == nil {
		t.Error("an old ticket was taken")
	}
	want := map[string]float64{"reason=password": 1, "reason=api_token": 1, "reason=session": 1, "reason=ticket": 1, "reason=limited": 0}
	got := series(t, reg, "mybeacon_auth_failures_total")
	for reason, n := range want {
		if count, exists := got[reason]; !exists || count != n {
			t.Errorf("%s: %g (exists: %v), want %g", reason, count, exists, n)
		}
	}
}

// One line per request: with its id and route, without the query.
func TestRequestLog(t *testing.T) {
	var logged lockedBuffer
	s := shelltest.Start(t, func(c *shell.Config) {
		c.Log = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}, nil)
	r := s.Nobody().Do("GET", "/livez?ticket=very-secret", nil, "Authorization", "Bearer also-secret")
	var lines []map[string]any
	for line := range bytes.Lines([]byte(logged.String())) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		if fields["msg"] == "request" {
			lines = append(lines, fields)
		}
	}
	if len(lines) != 1 || lines[0]["request"] != r.Header.Get("X-Request-Id") || lines[0]["route"] != "GET /livez" || lines[0]["status"] != 200.0 {
		t.Errorf("logged %v", lines)
	}
	if strings.Contains(logged.String(), "secret") {
		t.Errorf("a secret is in the log: %s", logged.String())
	}
}

// A socket's rights are asked of the store when something changed, and only then.
func TestWatchingAsksWhenSomethingChanged(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	changed := make(chan string, 64)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go s.DB.Watch(ctx, func(topic string) {
		s.RightsChanged()
		changed <- topic
	})
	await := func(want string) {
		t.Helper()
		for topic := "none"; topic != want; {
			select {
			case topic = <-changed:
			case <-time.After(20 * time.Second):
				t.Fatal("no notification")
			}
		}
	}
	await("") // it listens

	cookie := s.Nobody().Want(200, "POST", login, credentials(shelltest.AdminEmail, shelltest.Password), nil).Cookies()[0]
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "/api/v1/live", nil)
	r.AddCookie(cookie)
	p, _, err := s.Viewer(r)
	if err != nil {
		t.Fatal(err)
	}
	may := s.Watching(p, "ble")
	nowhere := schema.NewID[schema.LocationID]()
	if err := may(t.Context(), nowhere); schema.KindOf(err) != schema.NotFound {
		t.Errorf("no such location: %v", err)
	}
	at := postgrestest.Location(t, s.DB, postgrestest.Organisation(t, s.DB, "o"), "here").ID
	if err := s.DB.Notify(t.Context(), "made"); err != nil {
		t.Fatal(err)
	}
	await("made") // and all that came before it
	if err := may(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if err := may(gone, at); err != nil {
		t.Errorf("the store was asked although nothing changed: %v", err)
	}
	if err := may(gone, nowhere); err == nil {
		t.Error("another location was not asked about")
	}
	if _, err := s.DB.Pool().Exec(t.Context(), "UPDATE account SET disabled = true"); err != nil {
		t.Fatal(err)
	}
	await("core")
	if err := may(t.Context(), at); schema.KindOf(err) != schema.Unauthorized {
		t.Errorf("after the account was disabled: %v", err)
	}
}

// overQuota is a cause that knows what is left.
type overQuota struct{}

func (overQuota) Error() string             { return "over quota" }
func (overQuota) RetryAfter() time.Duration { return 1500 * time.Millisecond }
func (overQuota) RateLimit() (limit, remaining int, reset time.Duration) {
	return 100, 3, 2500 * time.Millisecond
}

func TestQuotaHeaders(t *testing.T) {
	s := shelltest.Start(t, nil, func(s *shelltest.Server) {
		s.Handle("GET /limited", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.WriteError(w, r, &schema.Error{Kind: schema.TooMany, Message: "slower", Err: overQuota{}})
		}))
	})
	r := s.Nobody().Do("GET", "/limited", nil)
	for name, want := range map[string]string{"Retry-After": "2", "RateLimit-Limit": "100", "RateLimit-Remaining": "3", "RateLimit-Reset": "3"} {
		if got := r.Header.Get(name); got != want || r.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%d, %s: %q, want %q", r.StatusCode, name, got, want)
		}
	}
}
