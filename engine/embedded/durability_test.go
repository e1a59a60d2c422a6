package embedded_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
)

// Batches that were acknowledged survive kill -9, and a batch sent again with
// its token is not stored twice: no row is missing, none is double.
func TestNothingIsLostWhenKilled(t *testing.T) {
	s, err := embedded.StartClickHouse(t.Context(), embeddedtest.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	if err := chExec(t.Context(), s.ClickHouseURL(), "CREATE TABLE facts (batch UInt32, n UInt32) ENGINE = MergeTree ORDER BY batch SETTINGS non_replicated_deduplication_window = 1000"); err != nil {
		t.Fatal(err)
	}
	const rows, kills = 2000, 4
	var acked atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for batch := 0; ctx.Err() == nil; batch++ {
			// As the sink does: an unclear batch again, unchanged, before any newer one.
			for sendBatch(s.ClickHouseURL(), batch, rows) != nil && t.Context().Err() == nil {
			}
			acked.Store(int64(batch + 1))
		}
	}()
	for range kills {
		before := acked.Load()
		eventually(t, "batches are acknowledged", func() error {
			if n := acked.Load() - before; n < 7 {
				return fmt.Errorf("only %d", n)
			}
			return nil
		})
		if err := embedded.Kill(s.ClickHouse().PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	before := acked.Load()
	eventually(t, "batches are acknowledged after the last kill", func() error {
		if acked.Load() == before {
			return fmt.Errorf("none")
		}
		return nil
	})
	cancel()
	<-done
	var got, distinct uint64
	if err := chExec(t.Context(), s.ClickHouseURL(), "SELECT count() FROM facts", &got); err != nil {
		t.Fatal(err)
	}
	if err := chExec(t.Context(), s.ClickHouseURL(), "SELECT uniqExact(batch, n) FROM facts", &distinct); err != nil {
		t.Fatal(err)
	}
	if want := uint64(acked.Load()) * rows; got != want || distinct != want {
		t.Errorf("%d rows, %d distinct; want %d of each", got, distinct, want)
	}
}

// sendBatch sends one batch over a connection of its own.
func sendBatch(address string, batch, rows int) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	u.RawQuery = url.Values{
		"database": {strings.Trim(u.Path, "/")}, "query": {"INSERT INTO facts FORMAT CSV"}, "insert_deduplication_token": {fmt.Sprint(batch)},
	}.Encode()
	u.Path = "/"
	var body strings.Builder
	for n := range rows {
		fmt.Fprintf(&body, "%d,%d\n", batch, n)
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post(u.String(), "text/csv", strings.NewReader(body.String()))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	return nil
}
