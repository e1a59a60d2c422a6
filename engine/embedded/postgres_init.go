package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// initCluster makes the cluster at first start: beside its place, then moved
// there, so that a crash half-way leaves nothing that looks whole.
func (p *Postgres) initCluster(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(p.cluster, "PG_VERSION")); err == nil {
		return nil
	}
	fresh := p.cluster + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("make the database cluster: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("make the database cluster: %w", err)
	}
	if err := own(fresh, p.as); err != nil {
		return fmt.Errorf("make the database cluster: %w", err)
	}
	password := filepath.Join(p.place.socket, "initial-password")
	defer os.Remove(password)
	if err := errors.Join(os.WriteFile(password, []byte(p.secrets.PostgresPassword+"\n"), 0o600), own(password, p.as)); err != nil {
		return fmt.Errorf("make the database cluster: %w", err)
	}
	p.cfg.Log.Info("making the database cluster", "dir", p.cluster)
	var dir *os.File // see openCluster
	if p.place.hidden {
		var err error
		if dir, err = os.Open(fresh); err != nil {
			return fmt.Errorf("make the database cluster: %w", err)
		}
		defer dir.Close()
	}
	cmd := p.command("initdb", dir, "-D", p.place.clusterArg(fresh), "-U", pgRole, "--pwfile="+password, "--auth=scram-sha-256", "--encoding=UTF8",
		"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions")
	output, err := runInit(ctx, cmd)
	if err != nil {
		return fmt.Errorf("make the database cluster: initdb: %w\n%s", err, strings.TrimSpace(string(output)))
	}
	if err := os.Rename(fresh, p.cluster); err != nil {
		return fmt.Errorf("make the database cluster: %w", err)
	}
	return nil
}

// clear ends what is left of an earlier PostgreSQL on the cluster and removes
// the pid file of one that is gone: its number may be another process's by now,
// and PostgreSQL would then refuse to start.
func (p *Postgres) clear(ctx context.Context) error {
	ended, err := endOrphans(ctx, p.cluster, syscall.SIGINT, func(args []string) bool {
		// Its own processes call themselves "postgres: checkpointer" and the like.
		name := filepath.Base(strings.TrimSpace(args[0]))
		return name == "postgres" || strings.HasPrefix(args[0], "postgres:")
	})
	if err != nil {
		return err
	}
	if ended > 0 {
		p.cfg.Log.Warn("ended what an earlier server left running", "store", "postgres", "processes", ended)
	}
	if err := os.Remove(filepath.Join(p.cluster, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// createDatabase makes the application's database if it is not there.
func (p *Postgres) createDatabase(ctx context.Context) error {
	err := p.exec(ctx, "postgres", "CREATE DATABASE "+databaseName)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "42P04" { // duplicate_database
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the database %s: %w", databaseName, err)
	}
	return nil
}

// letRuntimeIn lets the server's own role log in by this directory's password.
func (p *Postgres) letRuntimeIn(ctx context.Context) error {
	const role = `DO $$ BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '` + runtimeRole + `') THEN CREATE ROLE ` + runtimeRole + ` NOINHERIT; END IF;
	END $$; `
	// The password is hexadecimal digits.
	if err := p.exec(ctx, "postgres", role+"ALTER ROLE "+runtimeRole+" LOGIN PASSWORD '"+p.secrets.PostgresRuntime+"'"); err != nil {
		return fmt.Errorf("make the server's role: %w", err)
	}
	return nil
}
