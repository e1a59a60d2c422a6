package opshttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/jobs"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Demo is the simulated site that the server can show itself.
type Demo interface {
	// Available reports whether there is one in this program.
	Available() bool
	Running() bool
	// Start begins to simulate; one that runs goes on.
	Start(context.Context) error
	// Stop ends it and returns when it has ended. What it stored stays.
	Stop(context.Context) error
	// Organisations are the names of those that the demo makes for itself.
	Organisations() []string
}

// Config is what the routes need besides the shell.
type Config struct {
	DB   *postgres.DB
	Mail *mail.Queue
	Jobs *jobs.Jobs
	Demo Demo
}

type routes struct{ Config }

// Register adds the routes to the server.
func Register(s *shell.Server, cfg Config) {
	r := &routes{cfg}
	r.mails(s)
	r.jobs(s)
	r.setup(s)
}

// route is an operation of super-admins.
type route struct {
	tag, id, method, path, summary string
	status                         int
}

func admin[I, O any](s *shell.Server, r route, handler func(context.Context, *I) (*O, error)) {
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: r.id, Method: r.method, Path: "/api/v1/admin" + r.path, Tags: []string{r.tag}, Summary: r.summary, DefaultStatus: r.status,
	}, handler)
}

// nothing is the input or output of operations that have none.
type nothing struct{}

// optionalTime is null in JSON while unset.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// mailID reads an id; one that cannot be read names no mail.
func mailID(text string) (schema.MailID, error) {
	id, err := schema.ParseID[schema.MailID](text)
	if err != nil {
		return id, schema.Errorf(schema.NotFound, "", "there is no such mail")
	}
	return id, nil
}

const (
	ok        = http.StatusOK
	accepted  = http.StatusAccepted
	noContent = http.StatusNoContent
)
