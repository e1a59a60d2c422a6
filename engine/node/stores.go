package node

import (
	"cmp"
	"context"
	"errors"
	"os"

	"mybeacon/engine/embedded"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	chschema "mybeacon/schema/clickhouse"
)

// stores are both databases, opened and migrated.
type stores struct {
	embedded   *embedded.Stores // nil when both are servers of their own
	relational *postgres.DB
	warehouse  *clickhouse.DB
}

// openStores starts the embedded stores where no URL is given, opens both and
// brings their schemas up to date.
func openStores(ctx context.Context, cfg Config) (_ *stores, err error) {
	s := &stores{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(context.WithoutCancel(ctx)))
		}
	}()
	at, err := s.start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if s.relational, err = postgres.OpenOwned(ctx, at.postgres, at.postgresOwner); err != nil {
		return nil, err
	}
	if err = s.relational.Migrate(ctx); err != nil {
		return nil, err
	}
	if err = migrateProducts(ctx, s.relational); err != nil {
		return nil, err
	}
	// ClickHouse has no lock that keeps two servers from migrating at once, so
	// PostgreSQL's is used.
	lock := func(ctx context.Context, do func(context.Context) error) error {
		return s.relational.Locked(ctx, "clickhouse migrations", do)
	}
	if s.warehouse, err = clickhouse.Open(at.clickhouse, clickhouse.Options{Log: cfg.Log, Lock: lock}); err != nil {
		return nil, err
	}
	return s, s.warehouse.Migrate(ctx, chschema.FS)
}

// addresses are the URLs of both stores, and of the role that owns the relational one.
type addresses struct{ postgres, postgresOwner, clickhouse string }

// start runs what is embedded and returns the addresses. Where the warehouse
// is a server of its own, its address is recorded for `clickhouse query`.
func (s *stores) start(ctx context.Context, cfg Config) (addresses, error) {
	at := addresses{cfg.PostgresURL, cmp.Or(cfg.PostgresOwnerURL, cfg.PostgresURL), cfg.ClickHouseURL}
	start := embedded.Start
	switch {
	case at.postgres != "" && at.clickhouse != "":
		if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
			return at, err
		}
		return at, announce(cfg)
	case at.postgres != "":
		start = embedded.StartClickHouse
	case at.clickhouse != "":
		start = embedded.StartPostgres
	}
	runtime, err := embedded.FindRuntime(cfg.Runtime)
	if err != nil {
		return at, err
	}
	s.embedded, err = start(ctx, embedded.Config{DataDir: cfg.Data, Runtime: runtime, Executable: cfg.Executable, Log: cfg.Log})
	if err != nil {
		return at, err
	}
	if at.postgres == "" {
		at.postgres, at.postgresOwner = s.embedded.PostgresRuntimeURL(), s.embedded.PostgresURL()
	}
	if at.clickhouse == "" {
		at.clickhouse = s.embedded.ClickHouseURL()
		return at, nil
	}
	return at, announce(cfg)
}

func announce(cfg Config) error {
	return embedded.WriteEndpoint(cfg.Data, embedded.Endpoint{URL: cfg.ClickHouseURL, PID: os.Getpid()})
}

// close ends connections first, then the stores behind them.
func (s *stores) close(ctx context.Context) error {
	var errs []error
	if s.warehouse != nil {
		errs = append(errs, s.warehouse.Close())
	}
	if s.relational != nil {
		s.relational.Close()
	}
	if s.embedded != nil {
		errs = append(errs, s.embedded.Stop(ctx))
	}
	return errors.Join(errs...)
}

// Migrate brings both stores' schemas up to date without serving.
func Migrate(ctx context.Context, cfg Config) error {
	s, err := openStores(ctx, cfg)
	if err != nil {
		return err
	}
	return s.close(context.WithoutCancel(ctx))
}
