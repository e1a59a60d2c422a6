package embedded

import (
	"log/slog"
	"path/filepath"

	"mybeacon/engine/embedded/chhost"
	"mybeacon/schema"
)

// Config says where the stores live and what runs them.
type Config struct {
	DataDir string  // made at first start; one server at a time
	Runtime Runtime // from [FindRuntime]
	// Executable is the mybeacon program, whose hidden sub-command runs the
	// warehouse; usually os.Executable().
	Executable string
	Log        *slog.Logger

	// RunAs is the user PostgreSQL runs under when this process is root; empty
	// means the owner of an existing cluster, else the first that exists of
	// mybeacon, postgres and nobody.
	RunAs string
	// PostgresSettings override the server's settings ("work_mem": "16MB").
	PostgresSettings map[string]string
	// ClickHouseLimits bound what callers of the warehouse can take.
	ClickHouseLimits chhost.Limits
}

// Validate checks the fields and makes the directory absolute.
func (c *Config) Validate() error {
	if c.DataDir == "" {
		return schema.Errorf(schema.Invalid, "data", "is empty: name the directory the stores live in")
	}
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		return err
	}
	c.DataDir = dir
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}
