package jobs

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// States are the states of a job in the words of river, a closed set: "available" waits
// for a worker, "scheduled" for its time, "retryable" for its next attempt after a
// failure; "discarded" failed for good, "cancelled" was given up.
func States() []string {
	list := []string{}
	for _, s := range rivertype.JobStates() {
		list = append(list, string(s))
	}
	return list
}

// Job is one job as people see it.
type Job struct {
	ID          int64
	Kind        string
	State       string // one of [States]
	Attempt     int    // made so far
	MaxAttempts int
	Error       string    // of the last attempt that failed
	CreatedAt   time.Time //
	ScheduledAt time.Time // when it is or was due
	FinishedAt  time.Time // zero: not yet
}

// Filter narrows a list; empty fields admit all.
type Filter struct{ State, Kind string }

const selectJob = `SELECT id, kind, state::text, attempt, max_attempts,
	coalesce(errors[array_upper(errors, 1)]->>'error', ''), created_at, scheduled_at, finalized_at
	FROM ` + postgres.JobSchema + `.river_job`

func scanJob(row pgx.CollectableRow) (Job, error) {
	var job Job
	var finished *time.Time
	err := row.Scan(&job.ID, &job.Kind, &job.State, &job.Attempt, &job.MaxAttempts, &job.Error, &job.CreatedAt, &job.ScheduledAt, &finished)
	if finished != nil {
		job.FinishedAt = *finished
	}
	return job, err
}

// List returns a page of the jobs, newest first.
func (j *Jobs) List(ctx context.Context, filter Filter, page postgres.Page) ([]Job, postgres.Cursor, error) {
	var where postgres.Where
	if filter.Kind != "" {
		where.Add("kind = ?", filter.Kind)
	}
	if filter.State != "" {
		// As the type, so that the index is used.
		where.Add("state = ?::text::"+postgres.JobSchema+".river_job_state", filter.State)
	}
	if page.After != (postgres.Cursor{}) {
		last, err := strconv.ParseInt(page.After.Key, 10, 64)
		if err != nil {
			return nil, postgres.Cursor{}, schema.Errorf(schema.Invalid, "cursor", "is not what next said")
		}
		where.Add("id < ?", last)
	}
	limit := min(cmp.Or(page.Limit, postgres.DefaultLimit), postgres.MaxLimit)
	sql := selectJob + where.String() + " ORDER BY id DESC LIMIT " + strconv.Itoa(limit+1)
	found, err := postgres.Collect(ctx, j.store(), scanJob, sql, where.Args()...)
	if err != nil || len(found) <= limit {
		return found, postgres.Cursor{}, err
	}
	found = found[:limit]
	return found, postgres.Cursor{Key: strconv.FormatInt(found[limit-1].ID, 10), ID: schema.UserID{}.String()}, nil
}

// store is what jobs are read from: they belong to no organisation.
func (j *Jobs) store() postgres.Scoped { return j.cfg.DB.In(postgres.AllOrganisations()) }

// Retry has a job done again now, whatever became of it, and returns it: NotFound
// where there is none, and Conflict of one that is at work.
func (j *Jobs) Retry(ctx context.Context, tx postgres.Tx, id int64) (Job, error) {
	row, err := j.client.JobRetryTx(ctx, tx, id)
	if err == nil && row.State == rivertype.JobStateRunning {
		return Job{}, schema.Errorf(schema.Conflict, "", "the job is at work: wait for its end")
	}
	return seen(row, "retry", err)
}

// Cancel gives a job up and returns it; one at work is told to end. What has ended
// stays as it is.
func (j *Jobs) Cancel(ctx context.Context, tx postgres.Tx, id int64) (Job, error) {
	row, err := j.client.JobCancelTx(ctx, tx, id)
	return seen(row, "cancel", err)
}

func seen(row *rivertype.JobRow, doing string, err error) (Job, error) {
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return Job{}, schema.Errorf(schema.NotFound, "", "there is no such job; finished ones are removed after some days")
	case err != nil:
		return Job{}, postgres.Explain(err, doing+" a job", nil)
	}
	job := Job{
		ID: row.ID, Kind: row.Kind, State: string(row.State), Attempt: row.Attempt, MaxAttempts: row.MaxAttempts,
		CreatedAt: row.CreatedAt, ScheduledAt: row.ScheduledAt,
	}
	if n := len(row.Errors); n > 0 {
		job.Error = row.Errors[n-1].Error
	}
	if row.FinalizedAt != nil {
		job.FinishedAt = *row.FinalizedAt
	}
	return job, nil
}

// Figures counts the jobs of each state that is not "completed".
func (j *Jobs) Figures(ctx context.Context) (map[string]float64, error) {
	figures := map[string]float64{}
	for _, name := range States() {
		if name != string(rivertype.JobStateCompleted) {
			figures[name] = 0
		}
	}
	// Named one by one, so that the index finds them among the many that are done.
	const count = `SELECT state::text, count(*) FROM ` + postgres.JobSchema + `.river_job
		WHERE state IN ('available', 'cancelled', 'discarded', 'pending', 'retryable', 'running', 'scheduled') GROUP BY state`
	rows, err := j.store().Query(ctx, count)
	if err != nil {
		return nil, postgres.Explain(err, "count jobs", nil)
	}
	var state string
	var n float64
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		figures[state] = n
		return nil
	})
	return figures, postgres.Explain(err, "count jobs", nil)
}

// ParseID reads a job's number.
func ParseID(text string) (int64, error) {
	id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || id < 1 {
		return 0, schema.Errorf(schema.NotFound, "", "there is no such job")
	}
	return id, nil
}
