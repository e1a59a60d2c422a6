package clickhouse_test

import (
	"strings"
	"testing"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/schema"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// open returns the warehouse with a database of the test's own.
func open(t *testing.T) (*clickhouse.DB, string) {
	t.Helper()
	url := embeddedtest.NewClickHouseDatabase(t)
	db, err := clickhouse.Open(url, clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, url
}

func TestOpenAddresses(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"http://u:p@host:8123/db", ""},
		{"http://host", ""},
		{"https://u:p@host/db?max_execution_time=5", ""},
		{"clickhouse://u:p@host:9000/db", ""},
		{"clickhouse://u:p@host/db?secure=true", ""},
		{"tcp://host:9000", ""},
		{"postgres://host/db", "needs the form"},
		{"host:8123", "needs the form"},
		{"http:///db", "needs the form"},
		{"http://u:sec%zzret@host/db", "is not an address"},
		{"http://u:secret@host/db?dial_timeout=never", "dial timeout"},
	} {
		db, err := clickhouse.Open(c.url, clickhouse.Options{})
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.url, err)
				continue
			}
			db.Close()
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || schema.KindOf(err) != schema.Invalid {
			t.Errorf("%s: %v (%v); want an invalid error with %q", c.url, err, schema.KindOf(err), c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestPing(t *testing.T) {
	db, url := open(t)
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	away, err := clickhouse.Open("http://u:secret@127.0.0.1:1/db", clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	err = away.Ping(t.Context())
	if schema.KindOf(err) != schema.Unavailable || !strings.Contains(err.Error(), "127.0.0.1:1") || strings.Contains(err.Error(), "secret") {
		t.Errorf("ping of a closed port: %v; want unavailable, with the address and without the password", err)
	}
	if want := url[strings.LastIndex(url, "/")+1:]; db.Database() != want {
		t.Errorf("database %q, want %q", db.Database(), want)
	}
}
