package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Sweep removes what has had its time, such as expired links. It is done once a day, by
// one of the server processes, within an hour after midnight UTC or after a start.
type Sweep struct {
	Name string // "expired links"; jobs are told apart by it
	Do   func(context.Context) error
}

// sweepAttempts bounds the tries of one day; the next day tries anew.
const sweepAttempts = 3

// sweepTimeout bounds one try.
const sweepTimeout = 4 * time.Minute

// sweepArgs are the arguments of the kind "nightly".
type sweepArgs struct {
	Name string `json:"name"`
}

// Kind implements [Args].
func (sweepArgs) Kind() string { return "nightly" }

// registerSweeps has each sweep asked for every hour and done once a day: a server that
// is started every morning and stopped every evening must sweep too.
func (j *Jobs) registerSweeps() ([]*river.PeriodicJob, error) {
	byName := map[string]Sweep{}
	var periodic []*river.PeriodicJob
	for _, s := range j.cfg.Sweeps {
		if _, twice := byName[s.Name]; twice || s.Name == "" || s.Do == nil {
			return nil, fmt.Errorf("jobs: the sweep %q has no name of its own or does nothing", s.Name)
		}
		byName[s.Name] = s
		periodic = append(periodic, river.NewPeriodicJob(hourly{}, func() (river.JobArgs, *river.InsertOpts) {
			return sweepArgs{s.Name}, onceADay()
		}, nil))
	}
	Register(j, Kind[sweepArgs]{Queue: NightlyQueue, Attempts: sweepAttempts, Timeout: sweepTimeout,
		Do: func(ctx context.Context, args sweepArgs, _ Try) error {
			if s, known := byName[args.Name]; known {
				return s.Do(ctx)
			}
			return nil // of another version of the server
		}})
	return periodic, nil
}

func onceADay() *river.InsertOpts {
	return &river.InsertOpts{
		Queue: NightlyQueue, MaxAttempts: sweepAttempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: 24 * time.Hour, ByState: slices.Clone(rivertype.JobStates())},
	}
}

// hourly is a schedule: a minute past each hour of UTC.
type hourly struct{}

// Next implements river.PeriodicSchedule.
func (hourly) Next(now time.Time) time.Time {
	return now.UTC().Truncate(time.Hour).Add(time.Hour + time.Minute)
}
