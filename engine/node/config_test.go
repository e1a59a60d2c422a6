package node_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mybeacon/engine/node"
	"mybeacon/schema"
)

func TestDefaultConfigIsValid(t *testing.T) {
	if err := node.DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestValidateNamesTheField(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(field string, change func(*node.Config)) {
		t.Helper()
		cfg := node.DefaultConfig()
		change(&cfg)
		var e *schema.Error
		if err := cfg.Validate(); !errors.As(err, &e) || e.Field != field || e.Kind != schema.Invalid {
			t.Errorf("want an error about %s, got %v", field, err)
		}
	}
	f("http", func(c *node.Config) { c.HTTP = "8080" })
	f("base-url", func(c *node.Config) { c.BaseURL = "beacon.example.org" })
	f("base-url", func(c *node.Config) { c.BaseURL = "ftp://beacon.example.org" })
	f("proxies", func(c *node.Config) { c.Proxies = []string{"10.0.0.0/8", "nginx"} })
	f("ops", func(c *node.Config) { c.Ops = "no" })
	f("data", func(c *node.Config) { c.Data = "" })
	f("data", func(c *node.Config) { c.Data = filepath.Join(file, "below") })
	f("spill-limit", func(c *node.Config) { c.SpillLimit = 1 << 20 })
	f("postgres-url", func(c *node.Config) { c.PostgresURL = "mysql://localhost/x" })
	f("clickhouse-url", func(c *node.Config) { c.ClickHouseURL = "postgres://localhost/x" })
	f("quota-frames", func(c *node.Config) { c.Quota.FramesPerSecond = -1 })
	f("quota-observations", func(c *node.Config) { c.Quota.ObservationsPerSecond = -1 })
	mail := func(smtp, base, from string) func(*node.Config) {
		return func(c *node.Config) { c.SMTP, c.BaseURL, c.MailFrom = smtp, base, from }
	}
	f("smtp", mail("mail.example.org:25", "https://beacon.example.org", "beacon@example.org"))
	f("smtp", mail("smtp://user:secret@mail.example.org?tls=none", "https://beacon.example.org", "beacon@example.org"))
	f("base-url", mail("smtps://mail.example.org", "", "beacon@example.org"))
	f("mail-from", mail("smtps://mail.example.org", "https://beacon.example.org", ""))
	f("mail-from", mail("smtps://mail.example.org", "https://beacon.example.org", "beacon@example.org\r\nBcc: thief@example.org"))
	f("admin-email", func(c *node.Config) { c.AdminEmail = "nobody" })
	f("admin-password", func(c *node.Config) { c.AdminPassword = "short" })
}

func TestSecretsAreMasked(t *testing.T) {
	cfg := node.DefaultConfig()
	cfg.PostgresURL = "postgres://app:hunter2@db/x"
	cfg.ClickHouseURL = "http://app:hunter2@ch/x"
	cfg.AdminPassword = "hunter2hunter2"
	cfg.SMTP, cfg.MailFrom, cfg.BaseURL = "smtps://app:hunter2@mail.example.org", "beacon@example.org", "https://beacon.example.org"
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", "config", cfg)
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("a password is in the log: %s", out.String())
	}
	bad := cfg
	bad.PostgresURL = "postgres://app:hunter2%zz@db/x"
	if err := bad.Validate(); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a password is in the error, or there is none: %v", err)
	}
}
