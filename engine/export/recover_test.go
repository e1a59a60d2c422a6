package export_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/export"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// A server that stops in the middle goes on after its start, from the beginning, and
// the file is whole.
func TestStopInTheMiddle(t *testing.T) {
	w := newWorld(t, nil)
	w.numbers.gate = make(chan struct{})
	e := w.begin(4)
	w.numbers.gate <- struct{}{}
	w.until(e.ID, in(postgres.ExportRunning))
	w.stop()
	if e := w.until(e.ID, in(postgres.ExportQueued)); len(w.files()) != 0 {
		t.Errorf("%+v, %q", e, w.files())
	}
	close(w.numbers.gate)
	if _, err := w.db.Pool().Exec(t.Context(), "UPDATE "+postgres.JobSchema+".river_job SET scheduled_at = now(), state = 'available' WHERE state = 'retryable'"); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.until(e.ID, in(postgres.ExportDone))
	if b := w.read(e.ID); string(b) != "n\r\n0\r\n1\r\n2\r\n3\r\n" {
		t.Errorf("%q", b)
	}
}

// An export whose process was killed is found by its silence and made again; after
// three such ends it fails and says why.
func TestKilledProcess(t *testing.T) {
	w := newWorld(t, func(l *export.Limits) { l.Lost = time.Minute })
	w.stop()
	kill := func(e postgres.Export) {
		t.Helper()
		claim := schema.NewID[postgres.ExportID]()
		if _, ok, err := w.db.ClaimExport(t.Context(), e.ID, claim, time.Minute); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if _, err := w.db.Pool().Exec(t.Context(), "UPDATE export SET beat_at = now() - interval '2 minutes' WHERE id = $1", e.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := w.db.Pool().Exec(t.Context(), "DELETE FROM "+postgres.JobSchema+".river_job"); err != nil { // a killed process' job is stuck
			t.Fatal(err)
		}
	}
	once, thrice := w.begin(3), w.begin(3)
	kill(once)
	for range 2 {
		kill(thrice)
		if err := w.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	kill(thrice)
	if err := w.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := w.until(thrice.ID, in(postgres.ExportFailed)); !strings.Contains(e.Error, "the server stopped each time") {
		t.Errorf("%+v", e)
	}
	if e := w.until(once.ID, in(postgres.ExportQueued)); e.Attempts != 1 {
		t.Errorf("%+v", e)
	}
	kill(once)
	if err := w.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.start()
	if e := w.until(once.ID, in(postgres.ExportDone)); e.Attempts != 3 || e.Rows != 3 {
		t.Errorf("%+v", e)
	}
}

// A stream whose server was killed is cut off, never whole.
func TestKilledStream(t *testing.T) {
	w := newWorld(t, nil)
	st, err := w.Stream(t.Context(), w.request(3))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Pool().Exec(t.Context(), "UPDATE export SET beat_at = now() - interval '1 hour', rows = 2"); err != nil {
		t.Fatal(err)
	}
	if err := w.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := w.until(st.ID(), in(postgres.ExportCutOff)); e.Rows != 2 || e.SHA256 != "" {
		t.Errorf("%+v", e)
	}
	if err := st.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// What cannot succeed fails with words for people; what may pass is tried again.
func TestFailures(t *testing.T) {
	w := newWorld(t, func(l *export.Limits) { l.Bytes = 10 })
	if e := w.until(w.begin(50).ID, in(postgres.ExportFailed)); !strings.Contains(e.Error, "delete some") || e.Attempts != 1 || len(w.files()) != 0 {
		t.Errorf("too large: %+v, %q", e, w.files())
	}
	gone := error(schema.Errorf(schema.NotFound, "zone", "the location has no such zone"))
	w.numbers.fail.Store(&gone)
	if e := w.until(w.begin(1).ID, in(postgres.ExportFailed)); e.Error != "zone: the location has no such zone" {
		t.Errorf("gone: %+v", e)
	}
	secret := errors.New("dial tcp 10.0.0.7:9000: refused")
	w.numbers.fail.Store(&secret)
	e := w.until(w.begin(1).ID, func(e postgres.Export) bool { return e.Attempts == 1 && e.State == postgres.ExportQueued })
	if err := w.Delete(t.Context(), w.request(1).By, postgres.In(w.org.ID), e.ID); err != nil {
		t.Error(err)
	}
	slow := newWorld(t, func(l *export.Limits) { l.Time = 20 * time.Millisecond })
	slow.numbers.gate = make(chan struct{})
	if e := slow.until(slow.begin(1).ID, in(postgres.ExportFailed)); !strings.Contains(e.Error, "longer than an export may") {
		t.Errorf("slow: %+v", e)
	}
}

// Files go when they have had their time, and what no export needs goes too.
func TestSweep(t *testing.T) {
	w := newWorld(t, nil)
	kept, old, deleted := w.begin(1), w.begin(1), w.begin(1)
	for _, e := range []postgres.Export{kept, old, deleted} {
		w.until(e.ID, in(postgres.ExportDone))
	}
	if err := w.Delete(t.Context(), w.request(1).By, postgres.In(w.org.ID), deleted.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Pool().Exec(t.Context(), "UPDATE export SET expires_at = now() WHERE id = $1", old.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err := w.Open(t.Context(), w.request(1).By.Rights, postgres.In(w.org.ID), old.ID)
	wantKind(t, err, schema.NotFound, "kept for 7 days")
	orphan := filepath.Join(w.dir, w.org.ID.String(), schema.NewID[postgres.ExportID]().String()+".csv.part-x")
	young := filepath.Join(w.dir, w.org.ID.String(), schema.NewID[postgres.ExportID]().String()+".csv")
	for _, path := range []string{orphan, young} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * time.Hour)
	for _, path := range []string{orphan, filepath.Join(w.dir, w.org.ID.String(), kept.ID.String()+".csv")} {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{kept.ID.String() + ".csv", filepath.Base(young)}
	if got := w.files(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("there are %q, want %q", got, want)
	}
	if e := w.until(old.ID, in(postgres.ExportExpired)); e.SHA256 == "" || e.Rows != 1 {
		t.Errorf("%+v", e)
	}
	if e := w.until(deleted.ID, in(postgres.ExportDeleted)); e.Rows != 1 {
		t.Errorf("%+v", e)
	}
}
