package rederive

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"mybeacon/actors/tag"
)

// Job works late data in. Make it with [New] and run it once.
type Job struct {
	cfg  Config
	wake chan struct{}

	since  time.Time             // everything that arrived late before is done
	notFor map[tag.Key]time.Time // tags that are tried again, and not before

	mu       sync.Mutex
	arrived  time.Time // late data were admitted by then that no pass has looked for
	through  time.Time // what had arrived late by then is worked in, as far as it can be
	progress chan struct{}
}

// New returns a job that does not run yet.
func New(cfg Config) (*Job, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Job{
		cfg: cfg, wake: make(chan struct{}, 1), notFor: make(map[tag.Key]time.Time), progress: make(chan struct{}),
		arrived: cfg.Now(), // an earlier process may have left something undone
	}, nil
}

// Wake says that late data were admitted at a time. It does not block.
func (j *Job) Wake(at time.Time) {
	j.mu.Lock()
	if at.After(j.arrived) {
		j.arrived = at
	}
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Await waits until a pass has worked in what had arrived late by a time and was
// stored then.
func (j *Job) Await(ctx context.Context, arrived time.Time) error {
	j.Wake(arrived)
	for {
		j.mu.Lock()
		reached, progress := !j.through.Before(arrived), j.progress
		j.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Run works until the context ends. What fails is logged and tried again.
func (j *Job) Run(ctx context.Context) error {
	j.since = j.cfg.Now().Add(-j.cfg.Remember)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-j.wake:
		case <-timer.C:
		}
		next, err := j.turn(ctx)
		if err != nil && ctx.Err() == nil {
			j.cfg.Log.Warn("late data are not worked in, will be tried again", "again_in", j.cfg.Again, "error", err)
			next = j.cfg.Again
		}
		timer.Reset(next)
	}
}

// turn does what is due, and returns when to come again.
func (j *Job) turn(ctx context.Context) (next time.Duration, err error) {
	j.mu.Lock()
	arrived, through := j.arrived, j.through
	j.mu.Unlock()
	now := j.cfg.Now()
	again := j.cfg.Again
	for _, t := range j.notFor {
		again = min(again, max(t.Sub(now), time.Millisecond))
	}
	if !arrived.After(through) && (len(j.notFor) == 0 || again > time.Millisecond) {
		return again, nil
	}
	if rest := arrived.Add(j.cfg.Lag).Sub(now); rest > 0 && arrived.After(through) {
		return rest, nil
	}
	if err := j.pass(ctx, now.Add(-j.cfg.Lag)); err != nil {
		return 0, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.through = now.Add(-j.cfg.Lag)
	close(j.progress)
	j.progress = make(chan struct{})
	return time.Millisecond, nil
}

// pass works in what had arrived late by a time.
func (j *Job) pass(ctx context.Context, through time.Time) error {
	if err := j.cfg.Flush(ctx); err != nil {
		return fmt.Errorf("store what is derived: %w", err)
	}
	const most = 10_000 // tags per pass: their rows are found again by the next
	late, err := j.cfg.Store.Late(ctx, j.since, through, most)
	if err != nil {
		return err
	}
	j.measure(late)
	for _, group := range j.groups(late) {
		began := time.Now()
		left, err := j.work(ctx, group, through)
		if err != nil {
			return err
		}
		for _, d := range group {
			delete(j.notFor, d.Key)
		}
		for _, d := range left {
			j.notFor[d.Key] = j.cfg.Now().Add(j.cfg.Again)
		}
		if err := j.rest(ctx, time.Since(began)); err != nil {
			return err
		}
	}
	if len(late) < most && len(j.notFor) == 0 {
		j.since = through
	}
	return nil
}

// measure tells how much there is to do.
func (j *Job) measure(late []Late) {
	lag := time.Duration(0)
	there := make(map[tag.Key]bool, len(late))
	for _, d := range late {
		there[d.Key] = true
		lag = max(lag, j.cfg.Now().Sub(d.Through))
	}
	for k := range j.notFor {
		if !there[k] {
			delete(j.notFor, k)
		}
	}
	j.cfg.Metrics.waiting(len(late), lag)
}

// groups puts tags together that were late at about the same time: mostly one scanner
// was away, and one reading serves all. Tags that are to wait are left out.
func (j *Job) groups(late []Late) (groups [][]Late) {
	now := j.cfg.Now()
	due := slices.DeleteFunc(slices.Clone(late), func(d Late) bool { return j.notFor[d.Key].After(now) })
	slices.SortFunc(due, func(a, b Late) int {
		return cmp.Or(slices.Compare(a.Organisation[:], b.Organisation[:]), cmp.Compare(a.From, b.From))
	})
	for _, d := range due {
		if n := len(groups); n > 0 {
			g := groups[n-1]
			if g[0].Organisation == d.Organisation && d.From.Sub(g[0].From) <= j.cfg.Reach && len(g) < j.cfg.Tags {
				groups[n-1] = append(g, d)
				continue
			}
		}
		groups = append(groups, []Late{d})
	}
	return groups
}

// rest leaves the machine to the live data for a while.
func (j *Job) rest(ctx context.Context, worked time.Duration) error {
	pause := time.NewTimer(time.Duration(float64(worked) * (1/j.cfg.Share - 1)))
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
