package doctor_test

import (
	"context"
	"log/slog"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mybeacon/engine/doctor"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/mail"
	"mybeacon/engine/mail/mailtest"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	chschema "mybeacon/schema/clickhouse"
)

// sound is a configuration with which all is well: stores of their own, migrated, and a
// mail server.
func sound(t *testing.T) doctor.Config {
	t.Helper()
	server := mailtest.Start(t, mailtest.Config{})
	parsed, err := mail.ParseServer(server.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	cfg := doctor.Config{
		Data: t.TempDir(), PostgresURL: embeddedtest.NewPostgresDatabase(t), ClickHouseURL: embeddedtest.NewClickHouseDatabase(t),
		HTTP: "127.0.0.1:0", Ops: "off", BaseURL: "https://beacon.example.org", Log: slog.New(slog.DiscardHandler),
		Mail: &mail.Sender{Server: parsed, From: netmail.Address{Address: "beacon@example.org"}},
	}
	db := open(t, cfg.PostgresURL)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	warehouse, err := clickhouse.Open(cfg.ClickHouseURL, clickhouse.Options{Log: cfg.Log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = warehouse.Close() }()
	if err := warehouse.Migrate(t.Context(), chschema.FS); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func open(t *testing.T, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// Each thing that is broken is found, and what to do is said.
func TestExamine(t *testing.T) {
	cfg := sound(t)
	for _, f := range doctor.Examine(t.Context(), cfg) {
		if f.Level == doctor.Fail || f.Level == doctor.Warn && !strings.HasPrefix(f.Check, "disk") { // of the machine that runs the test
			t.Errorf("all is well, and it says %+v", f)
		}
	}
	f := func(check string, level doctor.Level, found string, change func(*doctor.Config)) {
		t.Helper()
		broken := cfg
		change(&broken)
		list := doctor.Examine(t.Context(), broken)
		for _, line := range list {
			if line.Check == check && line.Level == level && strings.Contains(line.Found, found) && line.Advice != "" {
				if worst := doctor.Worst(list); worst != level && worst != doctor.Fail {
					t.Errorf("%s: the worst is %s", check, worst)
				}
				return
			}
		}
		t.Errorf("want %s of %s with %q: %+v", level, check, found, list)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	gone := "127.0.0.1:1"
	f("data directory", doctor.Fail, "is a file", func(c *doctor.Config) { c.Data = file })
	f("address", doctor.Fail, "in use", func(c *doctor.Config) { c.HTTP = taken.Addr().String() })
	f("address of metrics", doctor.Fail, "in use", func(c *doctor.Config) { c.Ops = taken.Addr().String() })
	f("base URL", doctor.Warn, "not encrypted", func(c *doctor.Config) { c.BaseURL = "http://beacon.example.org" })
	f("base URL", doctor.Warn, "open to others", func(c *doctor.Config) { c.BaseURL, c.HTTP = "", ":0" })
	f("base URL", doctor.Fail, "no address", func(c *doctor.Config) { c.BaseURL = "beacon" })
	f("PostgreSQL", doctor.Fail, "refused", func(c *doctor.Config) { c.PostgresURL = "postgres://x@" + gone + "/x" })
	f("ClickHouse", doctor.Fail, "refused", func(c *doctor.Config) { c.ClickHouseURL = "http://" + gone + "/x" })
	f("schema of PostgreSQL", doctor.Warn, "still to run", func(c *doctor.Config) { c.PostgresURL = embeddedtest.NewPostgresDatabase(t) })
	f("schema of ClickHouse", doctor.Warn, "still to run", func(c *doctor.Config) { c.ClickHouseURL = embeddedtest.NewClickHouseDatabase(t) })
	f("embedded stores", doctor.Fail, "not in", func(c *doctor.Config) { c.PostgresURL, c.Runtime = "", t.TempDir() })
	f("mail", doctor.Warn, "kept in the outbox", func(c *doctor.Config) { c.Mail = nil })
	f("mail", doctor.Fail, "refused", func(c *doctor.Config) {
		away := *c.Mail
		away.Server.Port = 1
		c.Mail = &away
	})
}

// A table that lost its policies is named, and a role that sees past them.
func TestRowLevelSecurity(t *testing.T) {
	cfg := sound(t)
	db := open(t, cfg.PostgresURL)
	owner, err := db.Owner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	f := func(sql, found string) {
		t.Helper()
		if _, err := owner.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
		for _, line := range doctor.Examine(t.Context(), cfg) {
			if line.Check == "row-level security" && line.Level == doctor.Fail && strings.Contains(line.Found, found) {
				return
			}
		}
		t.Errorf("after %s nothing was said of %q", sql, found)
	}
	f("ALTER TABLE device DISABLE ROW LEVEL SECURITY", "device")
	f("ALTER TABLE device ENABLE ROW LEVEL SECURITY; ALTER TABLE location OWNER TO mybeacon_app", "location")
}
