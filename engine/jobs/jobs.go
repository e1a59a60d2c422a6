package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"mybeacon/engine/store/postgres"
)

// The queues, which keep slow work of one sort from delaying another.
const (
	MailQueue    = "mail"
	NightlyQueue = "nightly"
	WebhookQueue = "webhook"
	ExportQueue  = "export"
)

// workers bounds how many jobs of a queue one process does at a time.
func workers() map[string]int {
	return map[string]int{MailQueue: 4, NightlyQueue: 1, ExportQueue: 2, WebhookQueue: 4}
}

const (
	// defaultPoll is how long a job may wait whose announcement was missed, such as
	// while the connection that listens was lost.
	defaultPoll = 10 * time.Second
	// patience is what a running job gets when the server stops, before its context
	// ends: a mail half said to its server is better finished.
	patience = 2 * time.Second
	// stuckAfter is when a job that runs is taken for one whose process died; one of a
	// kind with a longer Timeout, after that.
	stuckAfter = 5 * time.Minute
	// longest is what a job may take that says nothing else.
	longest = time.Minute
)

// For how long finished jobs are shown.
const (
	keepDone   = 24 * time.Hour
	keepFailed = 7 * 24 * time.Hour
)

// Config of the jobs of one process.
type Config struct {
	DB      *postgres.DB
	Log     *slog.Logger
	Metrics *Metrics      // nil: not measured
	Poll    time.Duration // 0: ten seconds
	// Sweeps are done once a day each.
	Sweeps []Sweep
}

// Jobs is the job system of one process.
type Jobs struct {
	cfg     Config
	log     *slog.Logger
	client  *river.Client[pgx.Tx]
	workers *river.Workers
	kinds   map[string]*river.InsertOpts // of what is registered
}

// New returns the job system. Jobs can be inserted at once; they are done while
// [Jobs.Run] runs, here or in another process.
func New(cfg Config) (*Jobs, error) {
	if cfg.DB == nil || cfg.Log == nil {
		return nil, errors.New("jobs: Config.DB or Config.Log is missing")
	}
	if cfg.Poll == 0 {
		cfg.Poll = defaultPoll
	}
	j := &Jobs{cfg: cfg, log: cfg.Log, workers: river.NewWorkers(), kinds: map[string]*river.InsertOpts{}}
	periodic, err := j.registerSweeps()
	if err != nil {
		return nil, err
	}
	queues := map[string]river.QueueConfig{}
	for name, most := range workers() {
		queues[name] = river.QueueConfig{MaxWorkers: most}
	}
	j.client, err = river.NewClient(riverpgxv5.New(cfg.DB.Pool()), &river.Config{
		Schema: postgres.JobSchema, Queues: queues, Workers: j.workers, PeriodicJobs: periodic,
		Logger: slog.New(newCalm(cfg.Log.Handler())), ErrorHandler: failures{cfg.Log},
		FetchCooldown: min(cfg.Poll, 100*time.Millisecond), FetchPollInterval: cfg.Poll,
		JobTimeout: longest, SoftStopTimeout: patience, RescueStuckJobsAfter: stuckAfter,
		CompletedJobRetentionPeriod: keepDone, CancelledJobRetentionPeriod: keepFailed, DiscardedJobRetentionPeriod: keepFailed,
		// The server's role does not own the tables, and autovacuum keeps tables of
		// some thousand rows in order.
		ReindexerIndexNames: []string{},
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return j, nil
}

// Args are what a job is about: ids. Kind names the kind, a closed set of short lower
// case words; it is asked of the zero value too.
type Args interface{ Kind() string }

// Kind says how the jobs of one kind are done.
type Kind[A Args] struct {
	Queue    string
	Attempts int           // how often it is tried, 1 for once
	Timeout  time.Duration // of one attempt; 0: one minute
	// Pause returns how long to wait after the attempt, counted from 1, has failed.
	// nil: seconds at first, hours later.
	Pause func(attempt int) time.Duration
	// Do does the job. An error of [Stop] gives it up, another has it tried again.
	Do func(ctx context.Context, args A, try Try) error
}

// Try is one attempt to do a job.
type Try struct {
	Job     int64
	Attempt int // counted from 1
	Last    bool
}

// Stop returns an error with which a job is given up: to try it again is useless.
func Stop(err error) error { return river.JobCancel(err) }

// Register says how jobs of the kind are done, before [Jobs.Run]. A kind that is
// registered twice is a defect and panics.
func Register[A Args](j *Jobs, kind Kind[A]) {
	river.AddWorker(j.workers, &worker[A]{kind: kind, metrics: j.cfg.Metrics})
	var args A
	j.kinds[args.Kind()] = &river.InsertOpts{Queue: kind.Queue, MaxAttempts: kind.Attempts}
}

type worker[A Args] struct {
	river.WorkerDefaults[A]
	kind    Kind[A]
	metrics *Metrics
}

// Timeout implements river.Worker.
func (w *worker[A]) Timeout(*river.Job[A]) time.Duration { return w.kind.Timeout }

// NextRetry implements river.Worker.
func (w *worker[A]) NextRetry(job *river.Job[A]) time.Time {
	if w.kind.Pause == nil {
		return time.Time{}
	}
	// The job counts attempts that were made; the failed one is among them.
	return time.Now().Add(w.kind.Pause(job.Attempt))
}

// Work implements river.Worker.
func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	try := Try{Job: job.ID, Attempt: job.Attempt, Last: job.Attempt >= job.MaxAttempts}
	err := w.kind.Do(ctx, job.Args, try)
	w.metrics.done(job.Kind, outcomeOf(err, try))
	return err
}

func outcomeOf(err error, try Try) outcome {
	var stopped *rivertype.JobCancelError
	switch {
	case err == nil:
		return succeeded
	case try.Last, errors.As(err, &stopped):
		return givenUp
	}
	return failed
}

// Insert stores a job of a registered kind with the change of the transaction and
// returns its number. It is done after the commit.
func (j *Jobs) Insert(ctx context.Context, tx postgres.Tx, args Args) (int64, error) {
	return j.InsertAt(ctx, tx, args, time.Time{})
}

// InsertAt is [Jobs.Insert] of a job that is not done before a time, give or take some
// seconds; the zero time is at once.
func (j *Jobs) InsertAt(ctx context.Context, tx postgres.Tx, args Args, at time.Time) (int64, error) {
	registered, known := j.kinds[args.Kind()]
	if !known {
		panic("BUG: nobody registered jobs of kind " + args.Kind())
	}
	opts := *registered
	opts.ScheduledAt = at
	inserted, err := j.client.InsertTx(ctx, tx, args, &opts)
	if err != nil {
		return 0, postgres.Explain(err, "insert a job of kind "+args.Kind(), nil)
	}
	return inserted.Job.ID, nil
}

// startAgain is the pause after the job system could not start.
const startAgain = 5 * time.Second

// Run does jobs until the context ends; it waits for the ones at work, for seconds.
func (j *Jobs) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := j.client.Start(context.WithoutCancel(ctx))
		if err == nil {
			<-ctx.Done()
			break
		}
		j.log.WarnContext(ctx, "jobs wait: the database cannot be reached", "error", err)
		pause := time.NewTimer(startAgain)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	// Bounded by the patience with jobs, after which their contexts end.
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
	defer cancel()
	return j.client.Stop(stopping)
}

// failures notes what failed without river's stack of words: the job keeps the error.
type failures struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (f failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.log.InfoContext(ctx, "a job failed", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "of", job.MaxAttempts, "error", err)
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (f failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.log.ErrorContext(ctx, "a job panicked", "kind", job.Kind, "job", job.ID, "panic", value, "trace", trace)
	return nil
}
