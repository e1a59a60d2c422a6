package demo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/bench/demo"
	"mybeacon/bench/sim"
	"mybeacon/schema"
)

func TestDescribe(t *testing.T) {
	cfg := sim.DefaultConfig()
	first, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.BootID = "another-run"
	second, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"en", "ru"} {
		site := demo.Describe(first, language)
		// What another run describes must be the same, or objects would pile up.
		if diff := cmp.Diff(site, demo.Describe(second, language)); diff != "" {
			t.Errorf("two runs describe different sites:\n%s", diff)
		}
		if len(site.Receivers) < 10 || len(site.Receivers) > 14 || len(site.Tags) != cfg.Tags || len(site.Zones) != 9 || len(site.Plan.Walls) == 0 {
			t.Errorf("%d receivers, %d tags, %d zones, %d walls", len(site.Receivers), len(site.Tags), len(site.Zones), len(site.Plan.Walls))
		}
		for _, r := range site.Receivers {
			if r.X < site.Plan.Bounds.Min.X || r.X > site.Plan.Bounds.Max.X || r.Y < site.Plan.Bounds.Min.Y || r.Y > site.Plan.Bounds.Max.Y {
				t.Errorf("receiver %+v hangs outside the plan", r)
			}
		}
	}
	if demo.Describe(first, "en").Organisation == demo.Describe(first, "ru").Organisation {
		t.Error("the languages share one organisation; their names would mix")
	}
}

func TestRunRefuses(t *testing.T) {
	for name, cfg := range map[string]demo.Config{
		"too few":  {Tags: demo.MinTags - 1},
		"too many": {Tags: demo.MaxTags + 1},
		"language": {Language: "fr"},
		"no login": {Server: "http://127.0.0.1:1"},
	} {
		if err := demo.Run(t.Context(), cfg); schema.KindOf(err) != schema.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// roundTripper answers requests in the same goroutine, which virtual time needs.
type roundTripper struct{ handler http.Handler }

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	r.handler.ServeHTTP(rec, req)
	return rec.Result(), nil
}

// While the server is away or busy the demonstration waits, ever longer; a
// refused login is final.
func TestRunWaitsForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		answers := []int{503, 502, 429, 500, 503, 401}
		start := time.Now()
		err := demo.Run(t.Context(), demo.Config{
			Server: "http://mybeacon.test", Token: "x",
			HTTP: &http.Client{Transport: roundTripper{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				status := answers[calls.Add(1)-1]
				w.WriteHeader(status)
				_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "detail": fmt.Sprint("answer ", status)})
			})}},
		})
		if schema.KindOf(err) != schema.Unauthorized || !strings.Contains(err.Error(), "answer 401") {
			t.Errorf("got %v, want the refused login", err)
		}
		// 1 + 2 + 4 + 8 + 16 s between the six attempts.
		if d := time.Since(start); calls.Load() != 6 || d != 31*time.Second {
			t.Errorf("%d attempts in %v, want 6 in 31 s", calls.Load(), d)
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		away := roundTripper{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })}
		if err := demo.Run(ctx, demo.Config{Server: "http://mybeacon.test", Token: "x", HTTP: &http.Client{Transport: away}}); err != nil {
			t.Errorf("got %v, want nil at the end of the context", err)
		}
	})
}
