package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"mybeacon/schema"
)

// Options tune a [DB]. The zero value is right for the server.
type Options struct {
	MaxOpenConns int           // default 16
	DialTimeout  time.Duration // default 5 s
	ReadTimeout  time.Duration // of one answer's first byte or next block; default 5 min
	Log          *slog.Logger  // default: silent
	// Lock runs do while no other process of the organisation's fleet migrates;
	// ClickHouse has no lock of its own. nil is right when a data directory's
	// lock keeps other servers out already.
	Lock func(ctx context.Context, do func(context.Context) error) error
}

// DB is the warehouse.
type DB struct {
	conn driver.Conn
	url  *url.URL
	name string // database
	opts Options
}

// Open prepares the warehouse at an address: http:// or https:// for the HTTP
// interface, clickhouse:// for the native protocol (?secure=true for TLS), with
// user, password and database in their usual places. Other query parameters are
// ClickHouse settings for every statement. It does not connect.
func Open(rawURL string, opts Options) (*DB, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	o, err := ch.ParseDSN(u.String())
	if err != nil {
		return nil, schema.Errorf(schema.Invalid, "clickhouse-url", "%s: %v", u.Redacted(), redact(err, u))
	}
	if opts.MaxOpenConns == 0 {
		opts.MaxOpenConns = 16
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	o.MaxOpenConns, o.MaxIdleConns = opts.MaxOpenConns, opts.MaxOpenConns
	o.DialTimeout, o.ReadTimeout = orDefault(opts.DialTimeout, 5*time.Second), orDefault(opts.ReadTimeout, 5*time.Minute)
	if o.TLS != nil {
		o.TLS.MinVersion = tls.VersionTLS12
	}
	o.ClientInfo.Products = append(o.ClientInfo.Products, struct{ Name, Version string }{"mybeacon", "1"})
	conn, err := ch.Open(o)
	if err != nil {
		return nil, fmt.Errorf("open the warehouse: %w", redact(err, u))
	}
	return &DB{conn: conn, url: u, name: o.Auth.Database, opts: opts}, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// defaultPorts are ClickHouse's own, by scheme and TLS.
var defaultPorts = map[string]string{"http": "8123", "https": "8443", "clickhouse": "9000", "clickhouse+tls": "9440"}

// parseURL checks an address and fills in what ClickHouse's clients assume.
func parseURL(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The error would repeat the address, and with it the password.
		return nil, schema.Errorf(schema.Invalid, "clickhouse-url", "is not an address: write http://user:password@host:8123/mybeacon")
	}
	if u.Scheme == "tcp" {
		u.Scheme = "clickhouse"
	}
	q := u.Query()
	scheme := u.Scheme
	switch {
	case scheme == "https":
		q.Set("secure", "true")
	case scheme == "clickhouse" && q.Get("secure") == "true":
		scheme = "clickhouse+tls"
	}
	port, known := defaultPorts[scheme]
	if !known || u.Hostname() == "" {
		return nil, schema.Errorf(schema.Invalid, "clickhouse-url", "needs the form http://, https:// or clickhouse:// with a host, not %q", u.Scheme+"://"+u.Host)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/default"
	}
	u.RawQuery = q.Encode()
	return u, nil
}

// redact takes the password out of an error's text.
func redact(err error, u *url.URL) error {
	password, ok := u.User.Password()
	if err == nil || !ok || password == "" || !strings.Contains(err.Error(), password) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), password, "xxxxx"))
}

// Conn returns the client, for batches and queries.
func (db *DB) Conn() driver.Conn { return db.conn }

// Database returns the name of the database that statements run in.
func (db *DB) Database() string { return db.name }

// Ping asks the warehouse whether it is there. The error names its address.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.conn.Ping(ctx); err != nil {
		return &schema.Error{Kind: schema.Unavailable, Message: "the warehouse at " + db.url.Host + " does not answer", Err: redact(err, db.url)}
	}
	return nil
}

// Close closes the connections.
func (db *DB) Close() error { return db.conn.Close() }
