package embedded_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
)

// A clone below root's home or a temporary directory is the usual first try.
func TestPostgresRunsBelowAClosedDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts PostgreSQL as another user")
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := embeddedtest.Config(t)
	cfg.DataDir = filepath.Join(closed, "data")
	stores, err := embedded.StartPostgres(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := stores.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}
