package load

import (
	"log/slog"

	"mybeacon/schema"
)

// The stages of [Ingest].
const (
	StageFull   = "full"
	StageDecode = "decode"
)

// Bounds of a crowd. A frame, in which a receiver may hear all tags, holds 10,000
// observations.
const (
	maxTags      = 10_000
	maxReceivers = 500
)

// Config of a measurement of the way in.
type Config struct {
	Tags, Receivers int
	Seconds         int // of wall clock, for each part that is measured
	Stage           string
	Seed            uint64
	// Executable is a program that answers the sub-command clickhouse-host, and
	// Runtime where the embedded stores' binaries are; for the full stage.
	Executable, Runtime string
	Log                 *slog.Logger
}

// DefaultConfig returns the load that the goals are about.
func DefaultConfig() Config {
	return Config{Tags: 2000, Receivers: 12, Seconds: 20, Stage: StageFull, Seed: 1, Log: slog.New(slog.DiscardHandler)}
}

// Validate names the first field that is wrong.
func (c Config) Validate() error {
	switch {
	case c.Tags < 1 || c.Tags > maxTags:
		return schema.Errorf(schema.Invalid, "tags", "%d must be 1 to %d", c.Tags, maxTags)
	case c.Receivers < 3 || c.Receivers > maxReceivers:
		return schema.Errorf(schema.Invalid, "receivers", "%d must be 3 to %d", c.Receivers, maxReceivers)
	case c.Seconds < 1 || c.Seconds > 86_400:
		return schema.Errorf(schema.Invalid, "seconds", "%d must be 1 to 86400", c.Seconds)
	case c.Stage != StageFull && c.Stage != StageDecode:
		return schema.Errorf(schema.Invalid, "stage", "%q must be %s or %s", c.Stage, StageFull, StageDecode)
	case c.Stage == StageFull && c.Executable == "":
		return schema.Errorf(schema.Invalid, "executable", "the full stage needs a program for the warehouse")
	case c.Log == nil:
		return schema.Errorf(schema.Invalid, "log", "is needed")
	}
	return nil
}
