package http_test

import (
	"bytes"
	"log/slog"
	"testing"

	"mybeacon/engine/alert"
	"mybeacon/engine/jobs"
	"mybeacon/engine/modules/ble"
	"mybeacon/http/alerthttp"
	"mybeacon/http/shelltest"
)

// addAlerts adds the routes of alerts; nobody does their jobs.
func addAlerts(t testing.TB, s *shelltest.Server, m *ble.Module) {
	t.Helper()
	queue, err := jobs.New(jobs.Config{DB: s.DB, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	service, err := alert.New(alert.Config{
		DB: s.DB, Jobs: queue, Mail: outbox(t, s.DB), Log: slog.New(slog.DiscardHandler), Key: bytes.Repeat([]byte("k"), 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	alerthttp.Register(s.Server, alerthttp.Config{Product: m.ID(), Service: service, Things: m})
}

// settleAlerts adds a webhook, a rule that names one of each kind, and an alert of it.
func settleAlerts(t *testing.T, s *shelltest.Server, w *tenant) {
	t.Helper()
	var hook, rule struct{ ID string }
	w.owner.Want(201, "POST", "/api/v1/client/webhooks", map[string]any{"name": "h" + w.ids["location"], "url": "https://example.org/"}, &hook)
	w.ids["webhook"] = hook.ID
	w.owner.Want(201, "POST", "/api/v1/client/ble/alert-rules", ruleOf(*w), &rule)
	w.ids["rule"] = rule.ID
	const raise = `INSERT INTO alert (id, org, location, rule, rule_name, kind, subject, began_at, at)
		VALUES (gen_random_uuid(), $1, $2, $3, 'r', 'enter', gen_random_uuid(), now(), now()) RETURNING id::text`
	var id string
	if err := s.DB.Pool().QueryRow(t.Context(), raise, w.organisation.ID, w.ids["location"], rule.ID).Scan(&id); err != nil {
		t.Fatal(err)
	}
	w.ids["alert"] = id
}

func ruleOf(w tenant) map[string]any {
	return map[string]any{
		"name": "new", "notify": map[string]any{"console": true, "webhooks": []any{w.ids["webhook"]}},
		"condition": map[string]any{"kind": "enter", "location": w.ids["location"], "zones": []any{w.ids["zone"]}, "tags": []any{w.ids["tag"]}},
	}
}

// silenceOf names the receivers of a location.
func silenceOf(w tenant) map[string]any {
	return map[string]any{"condition": map[string]any{
		"kind": "receiver_silent", "location": w.ids["location"], "receivers": []any{w.ids["receiver"]}, "after_s": 60,
	}}
}

// Tests reach other people's mailboxes and machines: one person sends few of them, of
// rules and webhooks together, and each stands in the log.
func TestTestsAreBounded(t *testing.T) {
	warehouse := openWarehouse(t)
	s := startOver(t, warehouse)
	mine, owner := ownerOf(t, s, "mine")
	hall := settle(t, s, warehouse, mine, owner, 1)
	before := entries(t, s)
	for i := range 5 {
		path := "/api/v1/client/webhooks/" + hall.ids["webhook"] + "/test"
		if i%2 == 1 {
			path = "/api/v1/client/ble/alert-rules/" + hall.ids["rule"] + "/test"
		}
		owner.Want(202, "POST", path, nil, nil)
	}
	if n := entries(t, s) - before; n != 5 {
		t.Errorf("%d entries of 5 tests", n)
	}
	got := owner.Do("POST", "/api/v1/client/webhooks/"+hall.ids["webhook"]+"/test", nil)
	if got.StatusCode != 429 || got.Header.Get("Retry-After") == "" {
		t.Errorf("the sixth: %d %s", got.StatusCode, got.Bytes)
	}
}
