package node

import (
	"context"
	"errors"

	"mybeacon/engine/embedded"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// WithStores opens both stores without serving, brings their schemas up to date, and
// calls do. While a server runs on embedded stores, they are its alone.
func WithStores(ctx context.Context, cfg Config, do func(context.Context, *postgres.DB, *clickhouse.DB) error) (err error) {
	if (cfg.PostgresURL == "" || cfg.ClickHouseURL == "") && embedded.InUse(cfg.Data) {
		return schema.Errorf(schema.Conflict, "data", "a server runs on %s: stop it first", cfg.Data)
	}
	s, err := openStores(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	return do(ctx, s.relational, s.warehouse)
}
