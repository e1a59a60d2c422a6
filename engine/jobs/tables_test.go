package jobs_test

import (
	"log/slog"
	"testing"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
)

// The tables of jobs are those that the library of this build expects: a newer one
// needs a further migration. To migrate again changes nothing.
func TestJobTables(t *testing.T) {
	db := postgrestest.Open(t)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(db.Pool()), &rivermigrate.Config{Schema: postgres.JobSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	found, err := migrator.Validate(t.Context(), nil)
	if err != nil || !found.OK {
		t.Errorf("the tables of jobs are not up to date: %v %v", found.Messages, err)
	}
}
