package chhost_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/chhost"
	"mybeacon/engine/embedded/embeddedtest"
)

// A host with tight limits keeps them, and sweeps what a crash left.
func TestLimits(t *testing.T) {
	cfg := embeddedtest.Config(t)
	cfg.ClickHouseLimits = chhost.Limits{InsertBytes: 1000, QueryBytes: 5000, Queries: 1, SlotWait: 50 * time.Millisecond}
	left := filepath.Join(cfg.DataDir, "clickhouse", "inbox", "7.data")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, []byte("of an earlier life"), 0o600); err != nil {
		t.Fatal(err)
	}
	stores, err := embedded.StartClickHouse(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stores.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	address := stores.ClickHouseURL()
	if status, _, answer := ask(t, address, nil, "CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a"); status != http.StatusOK {
		t.Fatal(answer)
	}
	if status, _, answer := ask(t, address, url.Values{"query": {"INSERT INTO t FORMAT CSV"}}, strings.Repeat("a\n", 501)); status == http.StatusOK || !strings.Contains(answer, "limited to 1000 bytes") {
		t.Errorf("too much data: %d %s", status, answer)
	}
	if status, _, answer := ask(t, address, nil, "SELECT '"+strings.Repeat("a", 5000)+"'"); status == http.StatusOK || !strings.Contains(answer, "longer than 5000 bytes") {
		t.Errorf("too long a statement: %d %s", status, answer)
	}
	if files, err := os.ReadDir(filepath.Dir(left)); err != nil || len(files) > 0 {
		t.Errorf("the inbox holds %v, %v", files, err)
	}
	oneAtATime(t, address)
}

// oneAtATime holds the only slot of the server's queries: another is told so in
// time, and the readers' and the inserts' slots are free all the while.
func oneAtATime(t *testing.T, address string) {
	t.Helper()
	conn := dial(t, address, nil)
	rows, err := conn.Query(t.Context(), "SELECT number FROM system.numbers")
	if err != nil {
		t.Fatal(err)
	}
	status, header, _ := ask(t, address, nil, "SELECT 1")
	if status != http.StatusServiceUnavailable || header.Get("X-ClickHouse-Exception-Code") != "202" {
		t.Errorf("with its slot taken: %d, code %s", status, header.Get("X-ClickHouse-Exception-Code"))
	}
	if status, _, answer := ask(t, address, url.Values{"query": {"INSERT INTO t FORMAT CSV"}}, "a\n"); status != http.StatusOK {
		t.Errorf("an insert meanwhile: %d %s", status, answer)
	}
	go func() { // closing waits until the stream's end, which the store's stop brings
		for rows.Next() {
		}
		rows.Close()
	}()
}
