package export_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/export"
	"mybeacon/engine/jobs"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// numbers is a dataset of as many rows as its filter says; gate, if any, holds each row
// back until it may go.
type numbers struct {
	gate  chan struct{}
	scope atomic.Pointer[postgres.Scope] // with which it was opened last
	fail  atomic.Pointer[error]          // what its rows end with
}

func (n *numbers) dataset() export.Dataset {
	return export.Dataset{
		ID: "ble/numbers", Version: 1, Title: export.Words{En: "Numbers", Ru: "Числа"},
		Columns: []export.Column{{Name: "n", Kind: export.Integer, Title: export.Words{En: "Number", Ru: "Число"}}},
		Filters: []export.Filter{{Name: "rows", Kind: export.Amount, Required: true}, {Name: "from", Kind: export.Moment}, {Name: "to", Kind: export.Moment}, {Name: "query", Kind: export.Word}},
		Count: func(_ context.Context, _ postgres.Scope, f url.Values) (int64, error) {
			return int64(len(f.Get("rows"))), nil
		},
		Open: func(ctx context.Context, scope postgres.Scope, f url.Values) (export.Rows, error) {
			n.scope.Store(&scope)
			return export.Pushed(ctx, func(ctx context.Context, row func([]any) error) error { return n.push(ctx, len(f.Get("rows")), row) }), nil
		},
	}
}

// push pushes as many rows as the filter's value has letters.
func (n *numbers) push(ctx context.Context, rows int, row func([]any) error) error {
	for i := range rows {
		if n.gate != nil {
			select {
			case <-n.gate:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := row([]any{i}); err != nil {
			return err
		}
	}
	if err := n.fail.Load(); err != nil {
		return *err
	}
	return nil
}

// world is an organisation with an Owner, and exports.
type world struct {
	*export.Service
	t       *testing.T
	db      *postgres.DB
	dir     string
	numbers *numbers
	org     postgres.Organisation
	owner   postgres.Account
	limits  export.Limits
	stop    func() // the jobs
}

func newWorld(t *testing.T, change func(*export.Limits)) *world {
	t.Helper()
	w := &world{t: t, db: postgrestest.Open(t), dir: t.TempDir(), numbers: &numbers{}, limits: export.DefaultLimits()}
	w.limits.Beat = 10 * time.Millisecond
	if change != nil {
		change(&w.limits)
	}
	w.org = postgrestest.Organisation(t, w.db, "ours", "ble")
	var err error
	if w.owner, err = w.db.CreateAccount(t.Context(), postgres.Account{Organisation: w.org.ID, Email: "owner@example.com", Role: "owner"}, "no password"); err != nil {
		t.Fatal(err)
	}
	w.start()
	return w
}

// start starts a server process: its service and its jobs.
func (w *world) start() {
	w.t.Helper()
	log := slog.New(slog.DiscardHandler)
	queue, err := jobs.New(jobs.Config{DB: w.db, Log: log, Poll: 20 * time.Millisecond})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Service, err = export.New(export.Config{DB: w.db, Jobs: queue, Log: log, Catalogue: export.NewCatalogue(w.numbers.dataset()), Dir: w.dir, Limits: w.limits})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- queue.Run(ctx) }()
	stopped := false
	w.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-ended; err != nil {
				w.t.Errorf("stop the jobs: %v", err)
			}
		}
	}
	w.t.Cleanup(w.stop)
}

func (w *world) request(rows int) export.Request {
	w.t.Helper()
	by, err := w.db.IdentityOf(w.t.Context(), w.owner.ID, postgres.KeyID{})
	if err != nil {
		w.t.Fatal(err)
	}
	return export.Request{By: by, Organisation: w.org.ID, Dataset: "ble/numbers", Format: export.CSV, Filters: url.Values{"rows": {strings.Repeat("x", rows)}}}
}

func (w *world) begin(rows int) postgres.Export {
	w.t.Helper()
	e, err := w.Begin(w.t.Context(), w.request(rows))
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// until waits for the export to be so.
func (w *world) until(id postgres.ExportID, so func(postgres.Export) bool) postgres.Export {
	w.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		e, err := w.db.Export(w.t.Context(), postgres.In(w.org.ID), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if so(e) {
			return e
		}
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("the export stays %+v", e)
		}
	}
}

func in(state string) func(postgres.Export) bool {
	return func(e postgres.Export) bool { return e.State == state }
}

func (w *world) read(id postgres.ExportID) []byte {
	w.t.Helper()
	f, _, err := w.Open(w.t.Context(), w.request(1).By.Rights, postgres.In(w.org.ID), id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close() // it was only read
	b, err := io.ReadAll(f)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// files are the names below the folder of exports.
func (w *world) files() (names []string) {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}

func wantKind(t *testing.T, err error, kind schema.Kind, part string) {
	t.Helper()
	if schema.KindOf(err) != kind || !strings.Contains(err.Error(), part) {
		t.Errorf("got %v, want %s with %q", err, kind, part)
	}
}

// A job makes a whole file, and the history and the log say what it was.
func TestFile(t *testing.T) {
	w := newWorld(t, nil)
	r := w.request(3)
	r.Language = "ru"
	r.Filters["from"], r.Filters["to"], r.Filters["query"] = []string{"2024-01-01"}, []string{"2024-01-15"}, []string{"Anna"}
	e, err := w.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	e = w.until(e.ID, in(postgres.ExportDone))
	b := w.read(e.ID)
	sum := sha256.Sum256(b)
	if string(b) != "Число\r\n0\r\n1\r\n2\r\n" || e.Rows != 3 || e.Bytes != int64(len(b)) || e.SHA256 != hex.EncodeToString(sum[:]) || e.Email != w.owner.Email || e.Direct || e.Filters["query"][0] != "Anna" {
		t.Errorf("%q of %+v", b, e)
	}
	if left := time.Until(e.ExpiresAt); left < 6*24*time.Hour || left > 7*24*time.Hour {
		t.Errorf("it is kept for %s", left)
	}
	if got := w.files(); len(got) != 1 || got[0] != e.ID.String()+".csv" {
		t.Errorf("files %q", got)
	}
	lines, _, err := w.db.AuditLog(t.Context(), postgres.In(w.org.ID), postgres.AuditFilter{Action: audit.Export}, postgres.Page{})
	if err != nil || len(lines) != 2 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if l := lines[1]; l.Object.Name != "Numbers" || l.Fields[0].New != "2024-01-01 - 2024-01-15" || l.Fields[1].New != "CSV" || l.Fields[len(l.Fields)-1].New != "Anna" {
		t.Errorf("the log says %+v", l)
	}
	if l := lines[0]; l.Fields[1].New != e.SHA256 {
		t.Errorf("of who took the file the log says %+v", l)
	}
}

// What is refused is refused before anything is stored.
func TestRefused(t *testing.T) {
	w := newWorld(t, func(l *export.Limits) { l.Open = 1 })
	for want, change := range map[string]func(*export.Request){
		`dataset: is "x": choose one of ble/numbers`: func(r *export.Request) { r.Dataset = "x" },
		"format: ":                                  func(r *export.Request) { r.Format = "xml" },
		"lang: ":                                    func(r *export.Request) { r.Language = "de" },
		"colour: is no filter":                      func(r *export.Request) { r.Filters["colour"] = []string{"red"} },
		"rows: is required":                         func(r *export.Request) { r.Filters = nil },
		"rows: is given 2 times":                    func(r *export.Request) { r.Filters["rows"] = []string{"x", "y"} },
		"there is no such object":                   func(r *export.Request) { r.Organisation = schema.NewID[schema.OrganisationID]() },
		"there is nothing at this address":          func(r *export.Request) { r.By.Rights.Products = nil },
		"the role viewer has no right":              func(r *export.Request) { r.By.Rights.Role = "viewer" },
		"the API key or link was not made for this": func(r *export.Request) { r.By.Rights.Key = true },
	} {
		r := w.request(1)
		change(&r)
		for how, begin := range map[string]func() error{
			"file":   func() error { _, err := w.Begin(t.Context(), r); return err },
			"stream": func() error { _, err := w.Stream(t.Context(), r); return err },
		} {
			if err := begin(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", how, err, want)
			}
		}
	}
	if all, _, err := w.db.Exports(t.Context(), postgres.In(w.org.ID), "", postgres.Page{}); err != nil || len(all) != 0 {
		t.Errorf("the history has %v, %v", all, err)
	}
	w.numbers.gate = make(chan struct{})
	e := w.begin(1)
	_, err := w.Begin(t.Context(), w.request(1))
	wantKind(t, err, schema.Conflict, "1 exports of the organisation are being made")
	close(w.numbers.gate)
	w.until(e.ID, in(postgres.ExportDone))
}

// A stream that ends is whole; one whose reader leaves, or whose rows break off, is
// noted as cut off with the rows so far.
func TestStream(t *testing.T) {
	w := newWorld(t, nil)
	var b bytes.Buffer
	st, err := w.Stream(t.Context(), w.request(5))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if e := w.until(st.ID(), in(postgres.ExportDone)); !e.Direct || e.Rows != 5 || e.Bytes != int64(b.Len()) {
		t.Errorf("whole: %+v", e)
	}
	_, _, err = w.Open(t.Context(), w.request(1).By.Rights, postgres.In(w.org.ID), st.ID())
	wantKind(t, err, schema.NotFound, "there is no file")

	left, err := w.Stream(t.Context(), w.request(60_000))
	if err != nil {
		t.Fatal(err)
	}
	if err := left.Write(t.Context(), &broken{left: 10_000}); !errors.Is(err, errPipe) {
		t.Errorf("the reader left: %v", err)
	}
	if e := w.until(left.ID(), in(postgres.ExportCutOff)); e.Bytes != 10_000 || e.Rows == 0 || e.Rows >= 60_000 {
		t.Errorf("cut off: %+v", e)
	}
	lost := errors.New("the warehouse went away")
	w.numbers.fail.Store(&lost)
	half, err := w.Stream(t.Context(), w.request(7))
	if err != nil {
		t.Fatal(err)
	}
	if err := half.Write(t.Context(), io.Discard); !errors.Is(err, lost) {
		t.Errorf("the rows broke off: %v", err)
	}
	if e := w.until(half.ID(), in(postgres.ExportCutOff)); e.Rows != 7 {
		t.Errorf("cut off: %+v", e)
	}
}

// Progress is told while the file grows, and cancelling ends the work and removes what
// there is of it.
func TestProgressAndCancel(t *testing.T) {
	w := newWorld(t, nil)
	w.numbers.gate = make(chan struct{})
	e := w.begin(100)
	for range 40 {
		w.numbers.gate <- struct{}{}
	}
	e = w.until(e.ID, func(e postgres.Export) bool { return e.State == postgres.ExportRunning && e.Rows >= 39 })
	if e.Expected != 100 {
		t.Errorf("%+v", e)
	}
	_, _, err := w.Open(t.Context(), w.request(1).By.Rights, postgres.In(w.org.ID), e.ID)
	wantKind(t, err, schema.Conflict, "not finished")
	if err := w.Delete(t.Context(), w.request(1).By, postgres.In(w.org.ID), e.ID); err != nil {
		t.Fatal(err)
	}
	w.stop() // returns when the work has ended
	if e := w.until(e.ID, in(postgres.ExportCancelled)); e.SHA256 != "" {
		t.Errorf("%+v", e)
	}
	if left := w.files(); len(left) != 0 {
		t.Errorf("there are %q", left)
	}
}

// Others' exports are an Owner's and an Admin's to remove, and nobody's who may only look.
func TestWhoMayDelete(t *testing.T) {
	w := newWorld(t, nil)
	w.stop() // nothing is made
	key := schema.NewID[postgres.KeyID]()
	f := func(may bool, change func(by *postgres.Identity)) {
		t.Helper()
		e, by := w.begin(1), w.request(1).By
		change(&by)
		err := w.Delete(t.Context(), by, postgres.In(w.org.ID), e.ID)
		if may != (err == nil) || !may && schema.KindOf(err) != schema.Forbidden {
			t.Errorf("got %v, want %t", err, may)
		}
		if !may { // there is room for ten
			if err := w.Delete(t.Context(), w.request(1).By, postgres.In(w.org.ID), e.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	other := func(by *postgres.Identity, role access.Role) {
		by.ID, by.Rights.Role = schema.NewID[schema.UserID](), role
	}
	f(true, func(by *postgres.Identity) { by.Rights.Role = access.Manager }) // his own
	f(true, func(by *postgres.Identity) { other(by, access.Admin) })
	f(false, func(by *postgres.Identity) { other(by, access.Manager) })
	f(false, func(by *postgres.Identity) { by.Rights.ReadOnly = true })
	f(false, func(by *postgres.Identity) { by.Rights.Key, by.Key = true, key })
	f(false, func(by *postgres.Identity) {
		other(by, "")
		by.Rights.SuperAdmin, by.Rights.Organisation = true, schema.OrganisationID{}
	})
	f(true, func(by *postgres.Identity) {
		other(by, "")
		by.Rights.SuperAdmin, by.Rights.Acting = true, true
	})
	f(false, func(by *postgres.Identity) {
		other(by, "")
		by.Rights.SuperAdmin, by.Rights.Acting, by.Rights.Organisation = true, true, schema.NewID[schema.OrganisationID]()
	})
}

// A job has the rights that its maker has when it runs.
func TestRightsWhenItRuns(t *testing.T) {
	for want, revoke := range map[string]string{
		"may nothing any more":             `UPDATE account SET disabled = true WHERE id = $1`,
		"the role viewer has no right":     `UPDATE account SET role = 'viewer' WHERE id = $1`,
		"there is nothing at this address": `DELETE FROM organisation_product WHERE org = (SELECT org FROM account WHERE id = $1)`,
	} {
		w := newWorld(t, nil)
		w.stop()
		e := w.begin(3)
		if _, err := w.db.Pool().Exec(t.Context(), revoke, w.owner.ID); err != nil {
			t.Fatal(err)
		}
		w.start()
		if e := w.until(e.ID, in(postgres.ExportFailed)); !strings.Contains(e.Error, want) || len(w.files()) != 0 {
			t.Errorf("got %+v and %q, want %s", e, w.files(), want)
		}
	}
}

// Who is limited to some locations since exports those, and nobody with others sees it.
func TestLocationsWhenItRuns(t *testing.T) {
	w := newWorld(t, nil)
	w.stop()
	e := w.begin(3)
	hall, yard := postgrestest.Location(t, w.db, w.org, "hall"), postgrestest.Location(t, w.db, w.org, "yard")
	const limit = `WITH a AS (UPDATE account SET limited = true WHERE id = $1 RETURNING id, org)
		INSERT INTO account_location (account, org, location, write) SELECT id, org, $2, false FROM a`
	if _, err := w.db.Pool().Exec(t.Context(), limit, w.owner.ID, hall.ID); err != nil {
		t.Fatal(err)
	}
	w.start()
	e = w.until(e.ID, in(postgres.ExportDone))
	if s := w.numbers.scope.Load(); s.Everywhere() || !s.Sees(hall.ID) || s.Sees(yard.ID) || e.Everywhere || len(e.Locations) != 1 || e.Locations[0] != hall.ID {
		t.Errorf("opened with %+v, noted as %+v", s, e)
	}
	limited := w.request(1).By.Rights
	other := limited
	other.Grants = nil
	for name, c := range map[string]struct {
		scope postgres.Scope
		sees  bool
	}{"hall": {postgres.In(w.org.ID).At(limited.Grants), true}, "nothing": {postgres.In(w.org.ID).At(other.Grants), false}, "all": {postgres.In(w.org.ID), true}} {
		if _, err := w.db.Export(t.Context(), c.scope, e.ID); (err == nil) != c.sees {
			t.Errorf("%s: %v", name, err)
		}
		if all, _, err := w.db.Exports(t.Context(), c.scope, "", postgres.Page{}); err != nil || (len(all) == 1) != c.sees {
			t.Errorf("%s: the history has %v, %v", name, all, err)
		}
	}
}
