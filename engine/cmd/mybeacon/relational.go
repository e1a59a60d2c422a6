package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mybeacon/engine/embedded"
	"mybeacon/engine/store/postgres"
)

// relationalFlags say where the relational store is, for commands that need it alone.
type relationalFlags struct {
	Data        string `help:"Data directory of the server, running or not." default:"data" env:"MYBEACON_DATA" placeholder:"DIR"`
	PostgresURL string `help:"PostgreSQL that the server uses instead of the embedded one." env:"MYBEACON_POSTGRES_URL" placeholder:"URL"`
	Runtime     string `help:"Directory of the embedded stores' binaries." env:"MYBEACON_RUNTIME" placeholder:"DIR"`
}

// relational calls do with the store: that of the running server, or of one that is
// stopped, which is started for as long. Nothing is migrated.
func (f relationalFlags) relational(e *env, do func(context.Context, *postgres.DB) error) (err error) {
	url := f.PostgresURL
	if url == "" {
		var stop func() error
		if url, stop, err = f.embedded(e); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	db, err := postgres.Open(e.ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	return do(e.ctx, db)
}

// embedded returns the address of the embedded store of the data directory.
func (f relationalFlags) embedded(e *env) (url string, stop func() error, err error) {
	if embedded.InUse(f.Data) {
		endpoint, err := embedded.ReadPostgresEndpoint(f.Data)
		if err != nil {
			return "", nil, fmt.Errorf("%w; where it uses another PostgreSQL, name that with --postgres-url", err)
		}
		return endpoint.URL, func() error { return nil }, nil
	}
	if _, err := os.Stat(filepath.Join(f.Data, "postgres", "PG_VERSION")); err != nil {
		return "", nil, fmt.Errorf("no server has kept its data in %s: name its directory with --data, or its PostgreSQL with --postgres-url", f.Data)
	}
	runtime, err := embedded.FindRuntime(f.Runtime)
	if err != nil {
		return "", nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return "", nil, fmt.Errorf("find this program's own file: %w", err)
	}
	stores, err := embedded.StartPostgres(e.ctx, embedded.Config{DataDir: f.Data, Runtime: runtime, Executable: exe, Log: warnings(e.log)})
	if err != nil {
		return "", nil, err
	}
	return stores.PostgresURL(), func() error { return stores.Stop(context.WithoutCancel(e.ctx)) }, nil
}
