package node

import (
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"mybeacon/engine/ingest"
	smtp "mybeacon/engine/mail"
	"mybeacon/schema"
)

// Config of a whole server. Empty store URLs mean the embedded stores.
type Config struct {
	HTTP        string // address of the console, the API and the sockets
	Ops         string // address of /metrics and /healthz; "off" for none
	Data        string // directory of everything the server writes
	Runtime     string // where the embedded stores' binaries are; empty: look in the usual places
	PostgresURL string
	// PostgresOwnerURL is that of the role which owns the schema, where it is not
	// PostgresURL's: migrations alone use it.
	PostgresOwnerURL string
	ClickHouseURL    string
	SpillLimit       int64        // bytes of batches that may wait on disk for the warehouse
	BaseURL          string       // how people reach the console; empty: http://HTTP
	SMTP             string       // URL of the mail server, see mail.ParseServer; empty: mails are kept in the outbox
	MailFrom         string       // who mails are from, as in MyBeacon <beacon@example.org>
	Proxies          []string     // networks of reverse proxies whose X-Forwarded-For is believed, as in 10.0.0.0/8
	AdminEmail       string       // of the first super-admin
	AdminPassword    string       // empty: a random one is made and returned once
	Version          string       // of this program
	Executable       string       // this program, started again for the embedded warehouse
	Quota            ingest.Quota // of each organisation's devices
	Demo             Demo         // the simulated site that people can start; the zero Demo is none
	RateLimit        bool         // bound how often callers may ask the API
	PrivateWebhooks  bool         // webhooks may lead into private networks and to this machine
	StopTimeout      time.Duration
	Log              *slog.Logger
}

// DefaultConfig returns what a first start on one's own machine wants.
func DefaultConfig() Config {
	return Config{
		HTTP:       "127.0.0.1:8080",
		Ops:        "127.0.0.1:9090",
		Data:       "data",
		SpillLimit: 8 << 30,
		AdminEmail: "admin@mybeacon.local",
		// A thousand busy scanners of one organisation; more than two processors can
		// place, so that only one that runs wild notices it.
		Quota:       ingest.Quota{FramesPerSecond: 50_000, ObservationsPerSecond: 500_000, Burst: 10 * time.Second},
		RateLimit:   true,
		StopTimeout: 10 * time.Second,
		Log:         slog.Default(),
	}
}

// Validate returns an error that names the first field that is wrong and what
// would be right.
func (c Config) Validate() error {
	checks := []func() error{c.validateHTTP, c.validateProxies, c.validateOps, c.validateData, c.validateSpill, c.validateStores, c.validateAdmin, c.validateQuota, c.validateMail}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) validateHTTP() error {
	if _, _, err := net.SplitHostPort(c.HTTP); err != nil {
		return schema.Errorf(schema.Invalid, "http", "%q is not an address such as 127.0.0.1:8080 or :8080", c.HTTP)
	}
	if c.BaseURL == "" {
		return nil
	}
	if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return schema.Errorf(schema.Invalid, "base-url", "%q is not an address such as https://beacon.example.org", c.BaseURL)
	}
	return nil
}

func (c Config) validateProxies() error {
	for _, text := range c.Proxies {
		if _, err := netip.ParsePrefix(text); err != nil {
			return schema.Errorf(schema.Invalid, "proxies", "%q is not a network such as 10.0.0.0/8 or 127.0.0.1/32", text)
		}
	}
	return nil
}

// proxies returns the validated networks.
func (c Config) proxies() []netip.Prefix {
	networks := make([]netip.Prefix, len(c.Proxies))
	for i, text := range c.Proxies {
		networks[i] = netip.MustParsePrefix(text)
	}
	return networks
}

func (c Config) validateOps() error {
	if c.Ops == "off" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Ops); err != nil {
		return schema.Errorf(schema.Invalid, "ops", "%q is neither an address such as 127.0.0.1:9090 nor off", c.Ops)
	}
	return nil
}

// validateData asks for a directory that is there or can be made.
func (c Config) validateData() error {
	if c.Data == "" {
		return schema.Errorf(schema.Invalid, "data", "say in which directory the server may keep its data")
	}
	for dir := filepath.Clean(c.Data); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		switch {
		case err == nil && !info.IsDir():
			return schema.Errorf(schema.Invalid, "data", "%s is a file: name a directory", dir)
		case err == nil, dir == filepath.Dir(dir):
			return nil
		}
	}
}

func (c Config) validateSpill() error {
	if c.SpillLimit < minSpill {
		return schema.Errorf(schema.Invalid, "spill-limit", "%d bytes are too few: at least 64MiB, so that a short outage fits", c.SpillLimit)
	}
	return nil
}

// minSpill is some minutes of a busy site.
const minSpill = 64 << 20

func (c Config) validateStores() error {
	if err := validateStoreURL("postgres-url", c.PostgresURL, "postgres", "postgresql"); err != nil {
		return err
	}
	if err := validateStoreURL("postgres-owner-url", c.PostgresOwnerURL, "postgres", "postgresql"); err != nil {
		return err
	}
	if c.PostgresOwnerURL != "" && c.PostgresURL == "" {
		return schema.Errorf(schema.Invalid, "postgres-owner-url", "it belongs to postgres-url, which is not set: the embedded PostgreSQL has an owner of its own")
	}
	return validateStoreURL("clickhouse-url", c.ClickHouseURL, "clickhouse", "http", "https")
}

// validateStoreURL never repeats the URL in its message: it may hold a password.
func validateStoreURL(field, raw string, schemes ...string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return schema.Errorf(schema.Invalid, field, "it cannot be read as a URL: escape special characters of the password as %%XX")
	}
	for _, s := range schemes {
		if u.Scheme == s {
			return nil
		}
	}
	return schema.Errorf(schema.Invalid, field, "a URL that begins with %s:// is expected, not %q", schemes[0], u.Scheme)
}

func (c Config) validateAdmin() error {
	if _, err := mail.ParseAddress(c.AdminEmail); err != nil {
		return schema.Errorf(schema.Invalid, "admin-email", "%q is not an e-mail address", c.AdminEmail)
	}
	if n := len(c.AdminPassword); n != 0 && n < 8 {
		return schema.Errorf(schema.Invalid, "admin-password", "it has %d characters, at least 8 are needed", n)
	}
	return nil
}

func (c Config) validateQuota() error {
	switch {
	case c.Quota.FramesPerSecond < 0:
		return schema.Errorf(schema.Invalid, "quota-frames", "%d a second is below 0, which means no bound", c.Quota.FramesPerSecond)
	case c.Quota.ObservationsPerSecond < 0:
		return schema.Errorf(schema.Invalid, "quota-observations", "%d a second is below 0, which means no bound", c.Quota.ObservationsPerSecond)
	}
	return nil
}

// LogValue prints the configuration with its secrets masked.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("http", c.HTTP), slog.String("ops", c.Ops), slog.String("data", c.Data), slog.Int64("spill_limit", c.SpillLimit),
		slog.String("postgres", masked(c.PostgresURL)), slog.String("clickhouse", masked(c.ClickHouseURL)),
		slog.String("base_url", c.BaseURL), slog.String("smtp", maskedMail(c.SMTP)), slog.String("mail_from", c.MailFrom), slog.String("admin_email", c.AdminEmail),
	)
}

func masked(raw string) string {
	if raw == "" {
		return "embedded"
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "(unreadable)"
	}
	return u.Redacted()
}

func maskedMail(raw string) string {
	if raw == "" {
		return "none"
	}
	server, err := smtp.ParseServer(raw)
	if err != nil {
		return "(unreadable)"
	}
	return server.String()
}
