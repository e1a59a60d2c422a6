package http_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mybeacon/engine/export"
	"mybeacon/engine/jobs"
	"mybeacon/engine/modules/ble"
	"mybeacon/http/exporthttp"
	"mybeacon/http/shelltest"
	"mybeacon/http/sqlhttp"
)

// exportDirs are where servers keep files of exports, by server.
var exportDirs sync.Map

// registerExports adds the routes of exports and of the page "Ask"; jobs are taken and
// not done.
func registerExports(t testing.TB, s *shelltest.Server, m *ble.Module) {
	t.Helper()
	queue, err := jobs.New(jobs.Config{DB: s.DB, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	exportDirs.Store(s.DB, dir)
	t.Cleanup(func() { exportDirs.Delete(s.DB) })
	exports, err := export.New(export.Config{DB: s.DB, Jobs: queue, Log: slog.New(slog.DiscardHandler), Catalogue: export.NewCatalogue(m.Datasets()...), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	exporthttp.Register(s.Server, s.DB, exports)
	sqlhttp.Register(s.Server, s.DB, noRows{}).RegisterAsk(s.Server, sqlhttp.AskConfig{DB: s.DB, Ready: m.Questions(), Tables: []string{"visits"}})
}

// noRowsFor answers the page "Ask" with an answer without rows, which it can read.
func noRowsFor(q url.Values) *http.Response {
	answer := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}}
	if format := q.Get("default_format"); strings.HasPrefix(format, "JSONCompact") {
		answer.Header.Set("X-Clickhouse-Format", format)
		answer.Body = io.NopCloser(strings.NewReader("[]\n[]\n"))
	}
	return answer
}

// settleExports adds an export of the tenant's location with a file, and a kept query.
func settleExports(t *testing.T, s *shelltest.Server, w *tenant) {
	t.Helper()
	var made struct{ ID string }
	w.owner.Want(202, "POST", "/api/v1/client/exports", exportBody(*w), &made)
	w.ids["export"] = made.ID
	const done = `UPDATE export SET state = 'done', bytes = 1, sha256 = 'x', ended_at = now(), expires_at = now() + interval '1 day' WHERE id = $1`
	if _, err := s.DB.Pool().Exec(t.Context(), done, made.ID); err != nil {
		t.Fatal(err)
	}
	dir, _ := exportDirs.Load(s.DB)
	folder := filepath.Join(dir.(string), w.organisation.ID.String())
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, made.ID+".csv"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.owner.Want(201, "POST", "/api/v1/client/ask/queries", askBody(*w), &made)
	w.ids["query"] = made.ID
}

func exportBody(w tenant) map[string]any {
	return map[string]any{"organisation_id": w.ids["organisation"], "dataset": "ble/visits", "format": "csv", "filters": map[string]any{"location": []string{w.ids["location"]}}}
}

func askBody(w tenant) map[string]any {
	return map[string]any{"organisation_id": w.ids["organisation"], "title": "kept by " + w.ids["location"], "sql": "SELECT 1"}
}
