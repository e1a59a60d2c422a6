package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/jobs"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// count is a kind of job that tells which ones were done.
type count struct {
	N int `json:"n"`
}

// Kind implements jobs.Args.
func (count) Kind() string { return "count" }

const deadline = 30 * time.Second

// open returns jobs that are not done yet.
func open(t *testing.T, db *postgres.DB, sweeps ...jobs.Sweep) *jobs.Jobs {
	t.Helper()
	j, err := jobs.New(jobs.Config{DB: db, Log: slog.New(slog.DiscardHandler), Poll: 20 * time.Millisecond, Sweeps: sweeps})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// run does the jobs until the test ends or stop is called.
func run(t *testing.T, j *jobs.Jobs) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stop the jobs: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// insert asks for a job in a change of its own and returns its number.
func insert(t *testing.T, db *postgres.DB, j *jobs.Jobs, scope postgres.Scope, args jobs.Args) int64 {
	t.Helper()
	var id int64
	err := db.Write(t.Context(), scope, func(tx postgres.Tx) (err error) {
		tx.Unrecorded("a test")
		id, err = j.Insert(t.Context(), tx, args)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// next waits for what a job tells.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	timeout := time.NewTimer(deadline)
	defer timeout.Stop()
	select {
	case v := <-from:
		return v
	case <-timeout.C:
		t.Fatal("the job was not done")
		panic("unreachable")
	}
}

// state waits until the job is in it.
func state(t *testing.T, j *jobs.Jobs, id int64, want string) jobs.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		list, _, err := j.List(t.Context(), jobs.Filter{}, postgres.Page{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(job jobs.Job) bool { return job.ID == id })
		if i >= 0 && list[i].State == want {
			return list[i]
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the job is not %s: %+v", want, list)
		case <-tick.C:
		}
	}
}

// Jobs of every scope are done, by the server's own roles, and leave nothing running.
func TestJobs(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "Canteen")
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	j := open(t, db)
	done := make(chan int, 10)
	jobs.Register(j, jobs.Kind[count]{Queue: jobs.MailQueue, Attempts: 3, Do: func(_ context.Context, c count, _ jobs.Try) error { done <- c.N; return nil }})
	before := insert(t, db, j, postgres.AllOrganisations(), count{1})
	stop := run(t, j)
	if got := next(t, done); got != 1 {
		t.Errorf("did %d", got)
	}
	insert(t, db, j, postgres.In(o.ID), count{2})
	if got := next(t, done); got != 2 {
		t.Errorf("did %d", got)
	}
	state(t, j, before, "completed")
	stop()
	db.Close()
}

// A job that fails is tried again with its pause, and given up after its attempts; one
// that is useless at once.
func TestFailures(t *testing.T) {
	db := postgrestest.Open(t)
	j := open(t, db)
	tries := make(chan jobs.Try, 10)
	jobs.Register(j, jobs.Kind[count]{
		Queue: jobs.MailQueue, Attempts: 3, Pause: func(int) time.Duration { return time.Millisecond },
		Do: func(_ context.Context, c count, try jobs.Try) error {
			tries <- try
			if c.N == 0 {
				return jobs.Stop(errors.New("useless"))
			}
			return errors.New("not yet")
		},
	})
	run(t, j)
	id := insert(t, db, j, postgres.AllOrganisations(), count{1})
	for attempt := 1; attempt <= 3; attempt++ {
		if got := next(t, tries); got.Attempt != attempt || got.Last != (attempt == 3) {
			t.Errorf("attempt %d: %+v", attempt, got)
		}
	}
	if job := state(t, j, id, "discarded"); job.Error != "not yet" || job.Attempt != 3 || job.FinishedAt.IsZero() {
		t.Errorf("%+v", job)
	}
	useless := insert(t, db, j, postgres.AllOrganisations(), count{0})
	next(t, tries)
	state(t, j, useless, "cancelled")
	figures, err := j.Figures(t.Context())
	if err != nil || figures["discarded"] != 1 || figures["cancelled"] != 1 || figures["running"] != 0 {
		t.Errorf("%v, %v", figures, err)
	}
}

// People retry and cancel jobs.
func TestRetryAndCancel(t *testing.T) {
	db := postgrestest.Open(t)
	j := open(t, db)
	var failing atomic.Bool
	failing.Store(true)
	done := make(chan int, 10)
	jobs.Register(j, jobs.Kind[count]{
		Queue: jobs.MailQueue, Attempts: 5, Pause: func(int) time.Duration { return time.Hour },
		Do: func(_ context.Context, c count, _ jobs.Try) error {
			if failing.Load() {
				return errors.New("not yet")
			}
			done <- c.N
			return nil
		},
	})
	run(t, j)
	change := func(do func(context.Context, postgres.Tx, int64) (jobs.Job, error), id int64) (job jobs.Job, err error) {
		err = db.Write(t.Context(), postgres.AllOrganisations(), func(tx postgres.Tx) error {
			tx.Unrecorded("a test")
			job, err = do(t.Context(), tx, id)
			return err
		})
		return job, err
	}
	first, second := insert(t, db, j, postgres.AllOrganisations(), count{1}), insert(t, db, j, postgres.AllOrganisations(), count{2})
	state(t, j, first, "retryable")
	state(t, j, second, "retryable")
	if job, err := change(j.Cancel, second); err != nil || job.State != "cancelled" || job.Kind != "count" {
		t.Errorf("%+v, %v", job, err)
	}
	failing.Store(false)
	if _, err := change(j.Retry, first); err != nil {
		t.Fatal(err)
	}
	if got := next(t, done); got != 1 {
		t.Errorf("did %d", got)
	}
	for what, do := range map[string]func(context.Context, postgres.Tx, int64) (jobs.Job, error){"retry": j.Retry, "cancel": j.Cancel} {
		if _, err := change(do, 1<<40); schema.KindOf(err) != schema.NotFound {
			t.Errorf("%s of no job: %v", what, err)
		}
	}
}

// Lists are paged, the newest first, and filtered.
func TestList(t *testing.T) {
	db := postgrestest.Open(t)
	j := open(t, db)
	jobs.Register(j, jobs.Kind[count]{Queue: jobs.MailQueue, Attempts: 1, Do: func(context.Context, count, jobs.Try) error { return nil }})
	var want []int64
	for n := range 5 {
		want = append(want, insert(t, db, j, postgres.AllOrganisations(), count{n}))
	}
	slices.Reverse(want)
	var got []int64
	page := postgres.Page{Limit: 2}
	for {
		list, next, err := j.List(t.Context(), jobs.Filter{State: "available", Kind: "count"}, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, job := range list {
			got = append(got, job.ID)
		}
		if next == (postgres.Cursor{}) {
			break
		}
		page.After = next
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, filter := range []jobs.Filter{{State: "completed"}, {Kind: "mail"}} {
		if list, _, err := j.List(t.Context(), filter, postgres.Page{}); err != nil || len(list) != 0 {
			t.Errorf("%+v: %d jobs, %v", filter, len(list), err)
		}
	}
	if _, _, err := j.List(t.Context(), jobs.Filter{}, postgres.Page{After: postgres.Cursor{Key: "x"}}); schema.KindOf(err) != schema.Invalid {
		t.Errorf("a bad cursor: %v", err)
	}
}

// While PostgreSQL is away nothing ends, and what was asked for is done when it is back.
func TestDatabaseAway(t *testing.T) {
	cfg := embeddedtest.Config(t)
	start := func() *embedded.Stores {
		t.Helper()
		stores, err := embedded.StartPostgres(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return stores
	}
	stop := func(stores *embedded.Stores) {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		if err := stores.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
	stores := start()
	db, err := postgres.Open(t.Context(), stores.PostgresURL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	j := open(t, db)
	done := make(chan int, 10)
	jobs.Register(j, jobs.Kind[count]{Queue: jobs.MailQueue, Attempts: 5, Do: func(_ context.Context, c count, _ jobs.Try) error { done <- c.N; return nil }})
	end := run(t, j)
	insert(t, db, j, postgres.AllOrganisations(), count{1})
	next(t, done)
	stop(stores)
	if err := db.Ping(t.Context()); schema.KindOf(err) != schema.Unavailable {
		t.Errorf("the database answers: %v", err)
	}
	stores = start()
	defer func() { stop(stores) }()
	insert(t, db, j, postgres.AllOrganisations(), count{2})
	for next(t, done) != 2 { // the first may be done twice: nobody could note that it was
	}
	end()
}

// Sweeps are told apart by their names.
func TestSweepNames(t *testing.T) {
	db := postgrestest.Open(t)
	nothing := func(context.Context) error { return nil }
	for _, sweeps := range [][]jobs.Sweep{{{Name: "a", Do: nothing}, {Name: "a", Do: nothing}}, {{Do: nothing}}, {{Name: "a"}}} {
		if _, err := jobs.New(jobs.Config{DB: db, Log: slog.New(slog.DiscardHandler), Sweeps: sweeps}); err == nil {
			t.Errorf("%d sweeps without names of their own were taken", len(sweeps))
		}
	}
}
