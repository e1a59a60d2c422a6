package embedded

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The database and the roles that log in. pgRole owns it and is PostgreSQL's
// superuser: migrations run as it, and make what runtimeRole may. The server itself
// works as runtimeRole, so that no mistake in a statement has a superuser's rights.
const (
	databaseName = "mybeacon"
	pgRole       = "mybeacon"
	runtimeRole  = "mybeacon_app" // as engine/store/postgres calls it
)

const pgPort = "5432" // only a part of the socket's name

// Postgres is a running embedded PostgreSQL.
type Postgres struct {
	cfg      Config
	secrets  secrets
	as       *syscall.Credential
	place    pgPlace // where as finds its files
	cluster  string
	child    *child
	starting atomic.Bool
}

// startPostgres runs PostgreSQL on the locked directory, making the cluster and the database if need be.
func startPostgres(ctx context.Context, cfg Config, sec secrets) (*Postgres, error) {
	p := &Postgres{cfg: cfg, secrets: sec, cluster: filepath.Join(cfg.DataDir, "postgres")}
	var err error
	if p.as, err = pgUser(cfg, p.cluster); err != nil {
		return nil, err
	}
	if p.place, err = newPlace(cfg, p.as); err != nil {
		return nil, err
	}
	p.starting.Store(true)
	err = p.initCluster(ctx)
	if err == nil {
		err = p.place.openCluster(p.cluster)
	}
	if err == nil {
		p.child, err = startChild(ctx, p.spec())
	}
	if err != nil {
		return nil, errors.Join(err, p.place.remove())
	}
	if err := errors.Join(p.createDatabase(ctx), p.letRuntimeIn(ctx)); err != nil {
		return nil, errors.Join(err, p.stop(context.WithoutCancel(ctx)))
	}
	if err := writeJSON(filepath.Join(cfg.DataDir, postgresFile), Endpoint{URL: p.URL(), PID: os.Getpid()}); err != nil {
		return nil, errors.Join(err, p.stop(context.WithoutCancel(ctx)))
	}
	return p, nil
}

// URL returns how pgx reaches the application's database, as its owner.
func (p *Postgres) URL() string { return p.url(databaseName) }

// RuntimeURL returns the same for the server itself, whose role owns nothing.
func (p *Postgres) RuntimeURL() string {
	return p.urlAs(url.UserPassword(runtimeRole, p.secrets.PostgresRuntime), databaseName)
}

func (p *Postgres) url(database string) string {
	return p.urlAs(url.UserPassword(pgRole, p.secrets.PostgresPassword), database)
}

func (p *Postgres) urlAs(user *url.Userinfo, database string) string {
	query := url.Values{"host": {p.place.socket}, "port": {pgPort}, "sslmode": {"disable"}}.Encode()
	u := url.URL{
		Scheme: "postgres", User: user, Path: "/" + database,
		RawQuery: strings.ReplaceAll(query, "+", "%20"), // to PostgreSQL's clients a plus is a plus
	}
	return u.String()
}

// PID returns the process of the latest start.
func (p *Postgres) PID() int { return int(p.child.pid.Load()) }

func (p *Postgres) stop(ctx context.Context) error {
	err := p.child.close(ctx)
	os.Remove(filepath.Join(p.cfg.DataDir, postgresFile))
	return errors.Join(err, p.place.remove())
}

func (p *Postgres) spec() childSpec {
	return childSpec{
		name: "postgres", log: p.cfg.Log, stop: syscall.SIGINT, grace: 20 * time.Second, patience: 60 * time.Second,
		command: func() *exec.Cmd {
			return p.command("postgres", p.place.clusterFile, append([]string{"-D", p.place.clusterArg(p.cluster)}, p.settings()...)...)
		},
		before: func(ctx context.Context) error {
			p.starting.Store(true)
			return p.clear(ctx)
		},
		ready: func(ctx context.Context) error {
			err := retry(ctx, func(ctx context.Context) error { return p.exec(ctx, "postgres", "SELECT 1") })
			p.starting.Store(false)
			return err
		},
		line: func(line string) { p.cfg.Log.Log(context.Background(), p.level(line), "postgres: "+line) },
	}
}

// command builds a call of one of PostgreSQL's programs. A cluster that the
// program reaches by descriptor only is inherited as number 3.
func (p *Postgres) command(program string, cluster *os.File, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.place.programs, "bin", program), args...)
	cmd.Dir = p.place.programs
	// Nothing of our environment: it may hold secrets, and PG… variables change what happens.
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "LD_LIBRARY_PATH=" + filepath.Join(p.place.programs, "lib")}
	cmd.SysProcAttr = childAttr(syscall.SIGINT, p.as)
	if cluster != nil {
		cmd.ExtraFiles = []*os.File{cluster}
	}
	return cmd
}

// settings are for a small server that shares its machine.
func (p *Postgres) settings() []string {
	s := map[string]string{
		"listen_addresses": "", "port": pgPort, "unix_socket_directories": p.place.socket, "unix_socket_permissions": "0700",
		"max_connections": "80", "shared_buffers": "96MB", "work_mem": "8MB", "maintenance_work_mem": "64MB", "effective_cache_size": "512MB",
		"jit":      "off", // needs memory that is writable and executable
		"timezone": "UTC", "log_timezone": "UTC", "huge_pages": "off", "max_wal_size": "512MB",
		"log_line_prefix": "", "logging_collector": "off", "log_min_messages": "warning",
		// A failing statement may hold what somebody typed.
		"log_min_error_statement": "panic", "log_parameter_max_length_on_error": "0",
	}
	maps.Copy(s, p.cfg.PostgresSettings)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		args = append(args, "-c", name+"="+s[name])
	}
	return args
}

// level reads how serious a line of PostgreSQL's log is. While it starts,
// refused connections are how we wait; an ERROR is a statement's and is
// reported to whoever sent it.
func (p *Postgres) level(line string) slog.Level {
	switch {
	case p.starting.Load(), strings.HasSuffix(line, "terminating connection due to administrator command"):
		return slog.LevelDebug // the administrator is us, and the connection one that was being closed
	case strings.HasPrefix(line, "PANIC:"):
		return slog.LevelError
	case strings.HasPrefix(line, "FATAL:"), strings.HasPrefix(line, "WARNING:"):
		return slog.LevelWarn // FATAL ends one connection, no more
	}
	return slog.LevelDebug
}

// exec runs one statement on a connection of its own.
func (p *Postgres) exec(ctx context.Context, database, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.url(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}
