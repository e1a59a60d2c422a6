package clickhouse

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"mybeacon/engine/module"
)

// WriteNames stores what things are called; a higher rev replaces what was
// stored before.
func (s *Sink) WriteNames(ctx context.Context, names []module.Name, rev uint64) error {
	batch, err := s.conn.PrepareBatch(ctx, "INSERT INTO names (org, kind, id, name, rev)")
	if err != nil {
		return fmt.Errorf("insert names: %w", err)
	}
	defer func() { _ = batch.Close() }()
	for _, n := range names {
		if err := batch.Append(uuid.UUID(n.Organisation), n.Kind, uuid.UUID(n.ID), n.Name, rev); err != nil {
			return fmt.Errorf("insert names: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert names: %w", err)
	}
	return nil
}
