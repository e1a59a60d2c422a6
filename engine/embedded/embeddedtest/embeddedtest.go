// Package embeddedtest gives tests the real stores: one PostgreSQL and one
// ClickHouse per test binary, started when first asked for (about a second
// each), and a database of its own for each test.
//
// A package that uses it says so once:
//
//	func TestMain(m *testing.M) { embeddedtest.Main(m) }
//
//	func TestX(t *testing.T) {
//		db, err := postgres.Open(ctx, embeddedtest.NewPostgresDatabase(t))
//		…
//	}
//
// The stores are the ones the server runs, only with PostgreSQL's fsync off.
// All functions are safe for concurrent use by parallel tests. Where the
// binaries are not installed, tests fail and name the fix: they never skip.
package embeddedtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/chhost"
)

// shared is the test binary's pair of stores. It is state of the package
// because a test binary has no other place that all its tests can reach.
var shared struct {
	main       atomic.Bool
	postgres   store
	clickhouse store
	serial     atomic.Int64
	templates  sync.Map // name -> *template
}

// store is one store, started once.
type store struct {
	once   sync.Once
	dir    string
	stores *embedded.Stores
	err    error
}

const dirPrefix = "mybeacon-test-"

// Main runs the tests and stops the shared stores after them. It also lets the
// test binary be the warehouse process, as the server's own program can.
func Main(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == chhost.Command {
		os.Exit(chhost.Main(os.Args[2:]))
	}
	shared.main.Store(true)
	sweep()
	code := m.Run()
	if err := errors.Join(shared.postgres.stop(), shared.clickhouse.stop()); err != nil {
		fmt.Fprintln(os.Stderr, "stop the test stores:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Config returns a configuration of stores of the test's own, in a directory
// that is removed after the test. The test starts and stops them.
func Config(tb testing.TB) embedded.Config {
	tb.Helper()
	cfg, err := newConfig()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(cfg.DataDir); err != nil {
			tb.Error(err)
		}
	})
	return cfg
}

func newConfig() (embedded.Config, error) {
	if !shared.main.Load() {
		// Without it the child would run all tests again, and each its children.
		return embedded.Config{}, errors.New("BUG: the package has no func TestMain(m *testing.M) { embeddedtest.Main(m) }")
	}
	rt, err := embedded.FindRuntime("")
	if err != nil {
		return embedded.Config{}, err
	}
	exe, err := os.Executable()
	if err != nil {
		return embedded.Config{}, err
	}
	dir, err := os.MkdirTemp("", dirPrefix)
	if err != nil {
		return embedded.Config{}, err
	}
	level := slog.LevelWarn
	if os.Getenv("MYBEACON_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return embedded.Config{
		DataDir: dir, Runtime: rt, Executable: exe,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
		// Tests never outlive the machine: waiting for its disk proves nothing.
		PostgresSettings: map[string]string{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
	}, nil
}

func (s *store) start(start func(context.Context, embedded.Config) (*embedded.Stores, error)) (*embedded.Stores, error) {
	s.once.Do(func() {
		var cfg embedded.Config
		if cfg, s.err = newConfig(); s.err != nil {
			return
		}
		s.dir = cfg.DataDir
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		s.stores, s.err = start(ctx, cfg)
	})
	return s.stores, s.err
}

func (s *store) stop() error {
	var err error
	if s.stores != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		err = s.stores.Stop(ctx)
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// sweep removes directories of test binaries that were killed.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil && time.Since(info.ModTime()) > time.Hour && !embedded.InUse(dir) {
			os.RemoveAll(dir)
		}
	}
}

// template is a database others are copied from.
type template struct {
	once sync.Once
	name string
	err  error
}

// NewPostgresDatabase returns the URL of a fresh, empty database, dropped after
// the test. Its user is the cluster's superuser.
func NewPostgresDatabase(tb testing.TB) string {
	tb.Helper()
	return postgresCopy(tb, "template0")
}

// NewPostgresDatabaseFrom returns the URL of a fresh copy of a database that
// prepare filled, such as with the migrations. prepare runs once per name and
// test binary, and must close its connections.
func NewPostgresDatabaseFrom(tb testing.TB, name string, prepare func(ctx context.Context, url string) error) string {
	tb.Helper()
	v, _ := shared.templates.LoadOrStore(name, &template{})
	t := v.(*template)
	t.once.Do(func() {
		t.name = fmt.Sprintf("template_%d", shared.serial.Add(1))
		if t.err = postgresExec("CREATE DATABASE " + t.name + " TEMPLATE template0"); t.err == nil {
			t.err = prepare(tb.Context(), withDatabase(shared.postgres.stores.PostgresURL(), t.name))
		}
	})
	if t.err != nil {
		tb.Fatalf("prepare the database %s: %v", name, t.err)
	}
	return postgresCopy(tb, t.name)
}

func postgresCopy(tb testing.TB, from string) string {
	tb.Helper()
	name := fmt.Sprintf("test_%d", shared.serial.Add(1))
	if err := postgresExec("CREATE DATABASE " + name + " TEMPLATE " + from); err != nil {
		tb.Fatalf("make a database: %v", err)
	}
	tb.Cleanup(func() {
		if err := postgresExec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	return withDatabase(shared.postgres.stores.PostgresURL(), name)
}

// RuntimeURL returns how the server itself would reach the database of a URL that
// came from here: in the role that owns nothing.
func RuntimeURL(owner string) string {
	u, err := url.Parse(shared.postgres.stores.PostgresRuntimeURL())
	if err != nil {
		panic("BUG: the store's own URL cannot be read: " + err.Error())
	}
	at, err := url.Parse(owner)
	if err != nil {
		panic("BUG: the test's URL cannot be read: " + err.Error())
	}
	u.Path = at.Path
	return u.String()
}

func postgresExec(sql string) error {
	stores, err := shared.postgres.start(embedded.StartPostgres)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, stores.PostgresURL())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// NewClickHouseDatabase returns the URL of a fresh, empty database with all
// rights, dropped after the test.
func NewClickHouseDatabase(tb testing.TB) string {
	tb.Helper()
	// The engine's grants are for names that begin so.
	name := fmt.Sprintf("mybeacon_test_%d", shared.serial.Add(1))
	if err := clickHouseExec("CREATE DATABASE " + name); err != nil {
		tb.Fatalf("make a database: %v", err)
	}
	tb.Cleanup(func() {
		if err := clickHouseExec("DROP DATABASE " + name + " SYNC"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	return withDatabase(shared.clickhouse.stores.ClickHouseURL(), name)
}

// ClickHouseReader returns the read-only URL for a database of [NewClickHouseDatabase].
func ClickHouseReader(tb testing.TB, databaseURL string) string {
	tb.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		tb.Fatal(err)
	}
	return withDatabase(shared.clickhouse.stores.ClickHouseReaderURL(), strings.TrimPrefix(u.Path, "/"))
}

func clickHouseExec(sql string) error {
	stores, err := shared.clickhouse.start(embedded.StartClickHouse)
	if err != nil {
		return err
	}
	u := withDatabase(stores.ClickHouseURL(), "")
	resp, err := http.Post(u, "text/plain", strings.NewReader(sql))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", sql, resp.Status)
	}
	return nil
}

func withDatabase(base, name string) string {
	u, err := url.Parse(base)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	u.Path = "/" + name
	return u.String()
}
