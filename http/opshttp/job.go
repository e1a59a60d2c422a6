package opshttp

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/engine/jobs"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
)

// Job is one piece of work that the server does on its own.
type Job struct {
	ID          string     `json:"id"`
	Kind        string     `json:"kind" example:"mail"`
	State       string     `json:"state" enum:"available,cancelled,completed,discarded,pending,retryable,running,scheduled" doc:"retryable waits for its next attempt, discarded failed for good"`
	Attempt     int        `json:"attempt" doc:"Attempts made"`
	MaxAttempts int        `json:"max_attempts"`
	Error       string     `json:"error" doc:"Of the last attempt that failed"`
	CreatedAt   time.Time  `json:"created_at"`
	ScheduledAt time.Time  `json:"scheduled_at" doc:"When it is or was due"`
	FinishedAt  *time.Time `json:"finished_at" doc:"null: not finished"`
}

func jobOf(j jobs.Job) Job {
	return Job{
		ID: strconv.FormatInt(j.ID, 10), Kind: j.Kind, State: j.State, Attempt: j.Attempt, MaxAttempts: j.MaxAttempts, Error: j.Error,
		CreatedAt: j.CreatedAt.UTC(), ScheduledAt: j.ScheduledAt.UTC(), FinishedAt: optionalTime(j.FinishedAt),
	}
}

type (
	jobOutput struct{ Body Job }
	jobPath   struct {
		ID string `path:"id" maxLength:"20"`
	}
	jobList struct {
		shell.PageInput
		State string `query:"state" enum:"available,cancelled,completed,discarded,pending,retryable,running,scheduled"`
		Kind  string `query:"kind" maxLength:"100"`
	}
)

func (r *routes) jobs(s *shell.Server) {
	const tag = "jobs"
	admin(s, route{tag, "list-jobs", http.MethodGet, "/jobs", "List jobs, the newest first; finished ones are kept for some days", ok}, r.listJobs)
	admin(s, route{tag, "retry-job", http.MethodPost, "/jobs/{id}/retry", "Do a job again now", ok}, r.changeJob(r.Jobs.Retry, "retry"))
	admin(s, route{tag, "cancel-job", http.MethodPost, "/jobs/{id}/cancel", "Give a job up", ok}, r.changeJob(r.Jobs.Cancel, "cancel"))
}

func (r *routes) listJobs(ctx context.Context, in *jobList) (*shell.ListOutput[Job], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := r.Jobs.List(ctx, jobs.Filter{State: in.State, Kind: in.Kind}, page)
	return shell.Paged(&in.PageInput, found, next, jobOf), err
}

type jobChange func(context.Context, postgres.Tx, int64) (jobs.Job, error)

func (r *routes) changeJob(change jobChange, what string) func(context.Context, *jobPath) (*jobOutput, error) {
	return func(ctx context.Context, in *jobPath) (*jobOutput, error) {
		id, err := jobs.ParseID(in.ID)
		if err != nil {
			return nil, err
		}
		var job jobs.Job
		err = r.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
			if job, err = change(ctx, tx, id); err != nil {
				return err
			}
			tx.Record(audit.Entry{Action: audit.Change, Object: audit.Object{Kind: "job", ID: in.ID, Name: job.Kind},
				Fields: []audit.Field{{Name: "state", New: what}}})
			return nil
		})
		return &jobOutput{jobOf(job)}, err
	}
}
