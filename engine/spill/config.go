package spill

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// Sink stores a record. Inserting the same record twice with one token must
// store it once. It neither keeps nor releases the record.
type Sink interface {
	Insert(ctx context.Context, table string, rec arrow.Record, token string) error
}

// Stored reads which frames of a boot the warehouse holds.
type Stored interface {
	StoredSeqs(ctx context.Context, src schema.Source, bootID string, since schema.EventTime) ([]wire.SeqRange, error)
}

// Config of a spool.
type Config struct {
	Log    *slog.Logger
	FS     FS
	Free   func() (bytes int64, err error) // room on the disk
	Sink   Sink
	Stored Stored

	Limit        int64 // bytes of all files
	DerivedLimit int64 // bytes of the files of other tables than observations
	MinFree      int64 // bytes that are left to the stores on the same disk
	MaxFiles     int

	// GroupRows bounds the rows that one insert may have, GroupDays the days (each
	// is a partition, and a server refuses an insert into more than 100).
	GroupRows int
	GroupDays int

	// Slow is how long an insert may take before the warehouse counts as away:
	// then batches go to the spool without asking it.
	Slow          time.Duration
	InsertTimeout time.Duration // of one attempt to ship, at most
	MinPause      time.Duration // after the first attempt that failed
	MaxPause      time.Duration
	// StoredPatience is how long a question about stored frames may go without the
	// warehouse's answer before the spool answers alone.
	StoredPatience time.Duration
	// MaxRanges bounds the sequence ranges that are remembered of what is kept; 16
	// bytes each.
	MaxRanges int
}

// DefaultConfig returns the usual bounds, without the collaborators. 8 GiB are
// some 200 million observations, 100,000 rows in one insert 14 MB of columns.
func DefaultConfig() Config {
	return Config{
		Log:   slog.New(slog.DiscardHandler),
		Free:  func() (int64, error) { return math.MaxInt64, nil },
		Limit: 8 << 30, DerivedLimit: 1 << 30, MinFree: 512 << 20, MaxFiles: 200_000,
		GroupRows: 100_000, GroupDays: 60,
		Slow: 1500 * time.Millisecond, InsertTimeout: 30 * time.Second, MinPause: 100 * time.Millisecond, MaxPause: 2 * time.Second,
		StoredPatience: 5 * time.Second, MaxRanges: 2_000_000,
	}
}

// Validate names the first field that is wrong.
func (c Config) Validate() error {
	bad := func(field, message string) error { return schema.Errorf(schema.Invalid, field, "%s", message) }
	switch {
	case c.Log == nil || c.FS == nil || c.Free == nil || c.Sink == nil || c.Stored == nil:
		return bad("log", "log, fs, free, sink and stored are needed")
	case c.Limit < 1 || c.DerivedLimit < 0 || c.DerivedLimit > c.Limit || c.MinFree < 0:
		return bad("limit", "must be above zero, derived_limit at most limit, and min_free not below zero")
	case c.MaxFiles < 1 || c.GroupRows < 1 || c.MaxRanges < 1:
		return bad("max_files", "bounds must be at least 1")
	case c.GroupDays < 1 || c.GroupDays > 100:
		return bad("group_days", "is 1 to 100")
	case c.Slow <= 0 || c.InsertTimeout < c.Slow || c.MinPause <= 0 || c.MaxPause < c.MinPause || c.StoredPatience <= 0:
		return bad("slow", "times must be above zero, slow at most insert_timeout and min_pause at most max_pause")
	default:
		return nil
	}
}
