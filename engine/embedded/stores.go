package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Stores are the embedded stores of one data directory.
type Stores struct {
	lock       *dirLock
	postgres   *Postgres
	clickhouse *ClickHouse

	once    sync.Once
	stopped error
}

// Start runs both stores and returns when both serve. A directory used by
// another server is refused before anything starts; the error names its process.
func Start(ctx context.Context, cfg Config) (*Stores, error) { return start(ctx, cfg, true, true) }

// StartPostgres runs PostgreSQL alone.
func StartPostgres(ctx context.Context, cfg Config) (*Stores, error) {
	return start(ctx, cfg, true, false)
}

// StartClickHouse runs the warehouse alone.
func StartClickHouse(ctx context.Context, cfg Config) (*Stores, error) {
	return start(ctx, cfg, false, true)
}

func start(ctx context.Context, cfg Config, postgres, clickhouse bool) (*Stores, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := makeDataDir(cfg.DataDir); err != nil {
		return nil, err
	}
	lock, err := lockDir(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	s := &Stores{lock: lock}
	sec, err := loadSecrets(cfg.DataDir)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	group, gctx := errgroup.WithContext(ctx)
	if postgres {
		group.Go(func() (err error) { s.postgres, err = startPostgres(gctx, cfg, sec); return err })
	}
	if clickhouse {
		group.Go(func() (err error) { s.clickhouse, err = startClickHouse(gctx, cfg, sec); return err })
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// makeDataDir makes the directory. When root, PostgreSQL's user must be able to
// pass through it to its own part; what is in it is closed file by file.
func makeDataDir(dir string) error {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make the data directory: %w", err)
	}
	// The process's mask may have taken the passage away.
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("the data directory %s is a file: choose another with --data", dir)
	} else if os.Geteuid() == 0 && info.Mode()&0o001 == 0 {
		return os.Chmod(dir, info.Mode().Perm()|0o011)
	}
	return nil
}

// PostgresURL returns how pgx reaches the database mybeacon, as its owner and superuser.
func (s *Stores) PostgresURL() string { return s.postgres.URL() }

// PostgresRuntimeURL returns the same for the server itself, in a role with no more
// rights than it needs. It has them once the schema was migrated.
func (s *Stores) PostgresRuntimeURL() string { return s.postgres.RuntimeURL() }

// ClickHouseURL returns how clickhouse-go (or any HTTP client) reaches the database mybeacon, with all rights.
func (s *Stores) ClickHouseURL() string { return s.clickhouse.URL() }

// ClickHouseReaderURL returns the same for callers that may only read.
func (s *Stores) ClickHouseReaderURL() string { return s.clickhouse.ReaderURL() }

// ClickHouseAnalystURL returns the same for analysts; see [ClickHouse.AnalystURL].
func (s *Stores) ClickHouseAnalystURL() string { return s.clickhouse.AnalystURL() }

// Postgres returns the running PostgreSQL, or nil.
func (s *Stores) Postgres() *Postgres { return s.postgres }

// ClickHouse returns the running warehouse, or nil.
func (s *Stores) ClickHouse() *ClickHouse { return s.clickhouse }

// Stop ends the stores cleanly and gives the directory back. Waiting is bounded
// by ctx and by each store's own grace time, after which it is killed.
func (s *Stores) Stop(ctx context.Context) error {
	s.once.Do(func() {
		var group errgroup.Group
		if s.postgres != nil {
			group.Go(func() error { return s.postgres.stop(ctx) })
		}
		if s.clickhouse != nil {
			group.Go(func() error { return s.clickhouse.stop(ctx) })
		}
		s.stopped = errors.Join(group.Wait(), s.lock.release())
	})
	return s.stopped
}
