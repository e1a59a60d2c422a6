package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// calmFor is how long a message of the library is not repeated: while the database is
// away its parts complain every few seconds, for as long as it takes.
const calmFor = time.Minute

// maxCalm bounds the messages that are remembered; the library has some dozens.
const maxCalm = 256

// calm passes warnings, each once a minute, as warnings: nothing that the library finds
// wrong ends the server.
type calm struct {
	slog.Handler
	said *said
}

type said struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func newCalm(h slog.Handler) calm { return calm{h, &said{last: map[string]time.Time{}}} }

// Enabled implements [slog.Handler].
func (c calm) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && c.Handler.Enabled(ctx, slog.LevelWarn)
}

// Handle implements [slog.Handler].
func (c calm) Handle(ctx context.Context, r slog.Record) error {
	if !c.said.first(r.Message, r.Time) {
		return nil
	}
	r.Level = slog.LevelWarn
	return c.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (c calm) WithAttrs(attrs []slog.Attr) slog.Handler {
	return calm{c.Handler.WithAttrs(attrs), c.said}
}

// WithGroup implements [slog.Handler].
func (c calm) WithGroup(name string) slog.Handler { return calm{c.Handler.WithGroup(name), c.said} }

func (s *said) first(message string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, known := s.last[message]; known && now.Sub(last) < calmFor {
		return false
	}
	if len(s.last) >= maxCalm {
		clear(s.last)
	}
	s.last[message] = now
	return true
}
