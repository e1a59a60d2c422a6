package node_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/node"
)

// freeAddress returns an address that nobody listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	return free.Addr().String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// One server, with a little of every traffic, for all that looks at its figures.
func TestOps(t *testing.T) {
	cfg := testConfig(t)
	cfg.Ops, cfg.Version = freeAddress(t), "1.2.3"
	s := start(t, cfg)
	made := provisioned(t, s)
	watch(t, s, made.Location)
	now := time.Now()
	for seq := range 3 {
		if status, text := post(t, s, made.Devices[0].Token, frame(seq+1, now.Add(time.Duration(seq-3)*time.Second), -60)); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	post(t, s, made.Devices[0].Token, frame(7, now.Add(time.Hour), -60))
	post(t, s, "mbd_nobody", frame(9, now, -60))
	get(t, s.URL()+"/nobody/"+made.Location.String())
	t.Run("Metrics", func(t *testing.T) { testMetrics(t, s) })
	t.Run("Labels", func(t *testing.T) { testLabels(t, s) })
	t.Run("DashboardAndAlerts", func(t *testing.T) { testDashboardAndAlerts(t, s) })
	t.Run("Healthz", func(t *testing.T) { testHealthz(t, s) })
	t.Run("Quarantine", func(t *testing.T) { testQuarantine(t, s) })
	t.Run("Profiles", func(t *testing.T) { testProfiles(t, s) })
	t.Run("TakenAddress", func(t *testing.T) {
		second := testConfig(t)
		second.Ops = cfg.Ops
		if err := node.New(second).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "ops") {
			t.Errorf("asked for by name, a taken address is an error: %v", err)
		}
	})
}

// series is one line of /metrics.
var series = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? [-+0-9.eInfNa]+$`)

func (s *server) series(t *testing.T) [][]string {
	t.Helper()
	status, text := get(t, "http://"+s.cfg.Ops+"/metrics")
	found := series.FindAllStringSubmatch(text, -1)
	if status != http.StatusOK || len(found) < 100 {
		t.Fatalf("%d, %d series\n%.2000s", status, len(found), text)
	}
	return found
}

func (s *server) metricNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, line := range s.series(t) {
		names[line[1]] = true
	}
	return names
}

// The names that the conventions promise.
func testMetrics(t *testing.T, s *server) {
	names := s.metricNames(t)
	for _, name := range []string{
		"mybeacon_ingest_frames_total", "mybeacon_ingest_bytes_total", "mybeacon_ack_seconds_bucket", "mybeacon_spool_bytes",
		"mybeacon_spool_oldest_seconds", "mybeacon_dup_frames_total", "mybeacon_bad_frames_total", "mybeacon_clickhouse_insert_seconds_bucket",
		"mybeacon_clickhouse_rows_total", "mybeacon_ws_clients", "mybeacon_ws_dropped_total", "mybeacon_ws_lag_seconds_bucket", "mybeacon_actors",
		"mybeacon_mailbox_depth", "mybeacon_http_requests_seconds_bucket", "mybeacon_auth_failures_total", "mybeacon_build_info", "mybeacon_mails_total", "mybeacon_mails_queued",
		"go_goroutines", "process_resident_memory_bytes",
	} {
		if !names[name] {
			t.Errorf("no %s among the metrics", name)
		}
	}
	if status, text := get(t, s.URL()+"/metrics"); strings.Contains(text, "mybeacon_actors") {
		t.Errorf("the main address shows metrics: %d", status)
	}
	_, text := get(t, "http://"+s.cfg.Ops+"/metrics")
	for _, line := range []string{
		`mybeacon_auth_failures_total{reason="device_token"} 1`, `mybeacon_ws_clients 1`,
		`mybeacon_ingest_frames_total{kind="ble",result="admitted"} 3`, `version="1.2.3"} 1`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s", line)
		}
	}
}

// Labels come from closed sets: what people and devices send - paths, names, ids,
// texts - makes no series.
func testLabels(t *testing.T, s *server) {
	closed := map[string]*regexp.Regexp{
		"kind": word, "result": word, "reason": word, "table": word, "door": word, "state": word, "outcome": word, "code": regexp.MustCompile(`^[1-5]\d\d$`),
		"route": regexp.MustCompile(`^(unmatched|/|(GET|POST|PUT|PATCH|DELETE) /[a-z0-9_./{}-]*)$`), "le": regexp.MustCompile(`^[0-9.e+-]+$|^\+Inf$`),
		"version": regexp.MustCompile(`^1\.2\.3$`), "go": regexp.MustCompile(`^go`),
	}
	label := regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)
	for _, line := range s.series(t) {
		if !strings.HasPrefix(line[1], "mybeacon_") {
			continue
		}
		for _, l := range label.FindAllStringSubmatch(line[2], -1) {
			if set := closed[l[1]]; set == nil || !set.MatchString(l[2]) {
				t.Errorf("%s: the label %s=%q is in no closed set", line[1], l[1], l[2])
			}
		}
	}
}

var word = regexp.MustCompile(`^[a-z][a-z0-9_]{1,30}$`)

// metricIn finds the names in a query, not its labels and functions.
var metricIn = regexp.MustCompile(`\b(?:mybeacon|go|process)_[a-z_]+`)

// What the dashboard and the alerts ask for exists.
func testDashboardAndAlerts(t *testing.T, s *server) {
	names := s.metricNames(t)
	check := func(file string, queries []string) {
		t.Helper()
		asked := 0
		for _, query := range queries {
			for _, name := range metricIn.FindAllString(query, -1) {
				asked++
				if !names[name] {
					t.Errorf("%s asks for %s, which is no metric: %s", file, name, query)
				}
			}
		}
		if asked < len(queries) {
			t.Errorf("%s: %d queries ask for %d metrics", file, len(queries), asked)
		}
	}
	check("mybeacon.json", dashboardQueries(t))
	check("alerts.yaml", alertQueries(t))
}

func grafana(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana", file))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func dashboardQueries(t *testing.T) (queries []string) {
	t.Helper()
	var board struct {
		Panels []struct {
			ID      int
			Type    string
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(grafana(t, "mybeacon.json"), &board); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %d %q is there twice, or has no title or no query", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			queries = append(queries, target.Expr)
		}
	}
	if len(queries) < 20 {
		t.Errorf("%d queries in the dashboard", len(queries))
	}
	return queries
}

// alertQueries reads the rules as they are written: each key on a line of its own.
func alertQueries(t *testing.T) (queries []string) {
	t.Helper()
	var rules []map[string]bool
	for line := range strings.Lines(string(grafana(t, "alerts.yaml"))) {
		key, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "- "), ":")
		if key == "alert" {
			rules = append(rules, map[string]bool{})
		}
		if len(rules) > 0 {
			rules[len(rules)-1][key] = true
		}
		if key == "expr" {
			queries = append(queries, strings.TrimSpace(value))
		}
	}
	for i, rule := range rules {
		for _, key := range []string{"alert", "expr", "labels", "annotations", "summary", "look"} {
			if !rule[key] {
				t.Errorf("rule %d has no %s", i+1, key)
			}
		}
	}
	if len(queries) < 10 || len(queries) != len(rules) {
		t.Errorf("%d rules with %d queries", len(rules), len(queries))
	}
	for _, q := range queries {
		if strings.Count(q, "(") != strings.Count(q, ")") || strings.Count(q, "{") != strings.Count(q, "}") {
			t.Errorf("brackets: %s", q)
		}
	}
	return queries
}

func testHealthz(t *testing.T, s *server) {
	url := "http://" + s.cfg.Ops + "/healthz"
	if status, text := get(t, url); status != http.StatusOK || strings.TrimSpace(text) != "ok" {
		t.Errorf("%d %q", status, text)
	}
	status, text := get(t, url+"?verbose")
	var report struct {
		Status, Version string
		UpS             float64 `json:"up_seconds"`
		Parts           []struct {
			Name, State string
			Since       time.Time
			AgeS        float64 `json:"looked_seconds_ago"`
			Figures     map[string]float64
		}
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil || status != http.StatusOK || report.Status != "ok" || report.Version != "1.2.3" || report.UpS <= 0 {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	var names []string
	figures := map[string]float64{}
	for _, p := range report.Parts {
		names = append(names, p.Name)
		if p.State != "ok" || p.Since.IsZero() || p.AgeS < 0 || p.AgeS > 15 {
			t.Errorf("%+v", p)
		}
		for name, v := range p.Figures {
			figures[p.Name+" "+name] = v
		}
	}
	for _, name := range []string{"postgres", "clickhouse", "spool", "directory", "ingest", "columns", "actors", "live"} {
		if !slices.Contains(names, name) {
			t.Errorf("no part %s in %v", name, names)
		}
	}
	if figures["directory read_seconds_ago"] > 60 {
		t.Errorf("figures %v", figures)
	}
	if status, _ := get(t, s.URL()+"/healthz?verbose"); status == http.StatusOK {
		if _, text := get(t, s.URL()+"/healthz?verbose"); strings.Contains(text, "parts") {
			t.Error("the main address tells")
		}
	}
}

// What is put aside can be looked at, and is in no count.
func testQuarantine(t *testing.T, s *server) {
	s.until(t, "SELECT reason, boot_id, seq, idx, transmitter LIKE 'ibeacon:%', rssi_cdbm, at > now() + 3000, keep_days FROM quarantine FINAL",
		"sent_at_future\tstory\t7\t0\t1\t-6000\t1\t30")
	if n := s.ask(t, "SELECT count() FROM observations FINAL WHERE seq = 7"); n != "0" {
		t.Errorf("%s observations of the future", n)
	}
}

func testProfiles(t *testing.T, s *server) {
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=1", "/debug/pprof/profile?seconds=1"} {
		if status, text := get(t, "http://"+s.cfg.Ops+path); status != http.StatusOK || text == "" {
			t.Errorf("%s: %d, %d bytes", path, status, len(text))
		}
	}
	for host, want := range map[string]int{"evil.example": 403, "evil.example:9090": 403, "localhost:9090": 200, "[::1]:9090": 200, "10.0.0.7": 200} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.cfg.Ops+"/debug/pprof/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("under the name %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
	if status, text := get(t, s.URL()+"/debug/pprof/goroutine?debug=1"); strings.Contains(text, "goroutine profile") {
		t.Errorf("the main address shows profiles: %d", status)
	}
	resp, err := http.Post("http://"+s.cfg.Ops+"/metrics", "text/plain", nil)
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v %v", resp, fmt.Sprint(err))
	}
	resp.Body.Close()
}
