// Package doctor looks at all that a server needs and says what is wrong and what to do:
// the stores and their schemas, the disk, the clock, the programs of the embedded
// stores, the addresses, and the mail server. It changes nothing; where the embedded
// stores do not run, it starts them for the look and stops them again.
package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"mybeacon/engine/embedded"
	"mybeacon/engine/mail"
)

// Config is what the server would be started with.
type Config struct {
	Data             string
	Runtime          string
	Executable       string // this program, which is the embedded warehouse's too
	PostgresURL      string // empty: embedded
	PostgresOwnerURL string
	ClickHouseURL    string // empty: embedded
	HTTP             string // address
	Ops              string // address, or off
	BaseURL          string
	Mail             *mail.Sender // nil: no mail server is set
	Log              *slog.Logger
}

// Level is how a finding is to be taken.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // the server works, but not as it should
	Fail Level = "fail" // the server does not start, or loses something
)

// Finding is one line of the report.
type Finding struct {
	Check  string `json:"check"`
	Level  Level  `json:"level"`
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"` // what to do
}

func ok(check, format string, args ...any) Finding {
	return Finding{Check: check, Level: OK, Found: fmt.Sprintf(format, args...)}
}

func warn(check, advice, format string, args ...any) Finding {
	return Finding{Check: check, Level: Warn, Found: fmt.Sprintf(format, args...), Advice: advice}
}

func fail(check, advice, format string, args ...any) Finding {
	return Finding{Check: check, Level: Fail, Found: fmt.Sprintf(format, args...), Advice: advice}
}

// patience bounds each look: who asks what is wrong must not wait for ever.
const patience = 20 * time.Second

// Examine looks at everything and returns the findings in a fixed order.
func Examine(ctx context.Context, cfg Config) []Finding {
	checks := []func(context.Context) []Finding{cfg.disk, cfg.clock, cfg.addresses, cfg.base, cfg.stores, cfg.mail}
	found := make([][]Finding, len(checks))
	var all sync.WaitGroup
	for i, check := range checks {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			found[i] = check(ctx)
		})
	}
	all.Wait()
	var list []Finding
	for _, f := range found {
		list = append(list, f...)
	}
	return list
}

// Worst returns the worst level of the findings.
func Worst(list []Finding) Level {
	worst := OK
	for _, f := range list {
		if f.Level == Fail || f.Level == Warn && worst == OK {
			worst = f.Level
		}
	}
	return worst
}

// running reports whether a server uses the data directory now.
func (c Config) running() bool { return embedded.InUse(c.Data) }
