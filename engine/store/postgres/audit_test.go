package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/schema"
)

// someone acts from an address.
func someone(ctx context.Context) (context.Context, audit.Actor) {
	a := audit.Actor{User: schema.NewID[schema.UserID](), Email: "Owner@Example.com", Address: netip.MustParseAddr("192.168.1.100")}
	return audit.By(ctx, a), a
}

func renamed(o schema.OrganisationID, n int) audit.Entry {
	return audit.Entry{
		Organisation: o, Action: audit.Change, Object: audit.Object{Kind: "tag", ID: fmt.Sprint("id-", n), Name: fmt.Sprintf("Велосипед №%d", n)},
		Fields: []audit.Field{{Name: "name", Old: fmt.Sprintf("Велосипед №%d", n-1), New: fmt.Sprintf("Велосипед №%d", n)}},
	}
}

// fillLog writes n entries to the organisation's log.
func fillLog(t testing.TB, db *postgres.DB, o schema.OrganisationID, n int) {
	t.Helper()
	ctx, _ := someone(t.Context())
	for i := range n {
		if err := db.Append(ctx, postgres.In(o), renamed(o, i+1)); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t testing.TB, db *postgres.DB) audit.Result {
	t.Helper()
	r, err := db.VerifyAudit(t.Context(), postgres.AllOrganisations())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readLog(t testing.TB, db *postgres.DB, scope postgres.Scope, f postgres.AuditFilter) []postgres.AuditLine {
	t.Helper()
	lines, _, err := db.AuditLog(t.Context(), scope, f, postgres.Page{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// What was recorded is read back whole, with who did it, when and from where.
func TestAuditEntryIsReadBack(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "mine")
	ctx, by := someone(t.Context())
	by.Key, by.Reason = "reports", "a call of the customer"
	ctx = audit.By(ctx, by)
	want := audit.Entry{
		Organisation: o.ID, Action: audit.Users, Object: audit.Object{Kind: audit.KindUser, ID: "42", Name: "Иван \"Ваня\" <b>", Personal: true},
		Fields: []audit.Field{{Name: "role", Old: "viewer", New: "admin"}, {Name: "phone", New: "+7 900\n", Personal: true}},
	}
	began := time.Now().Add(-time.Minute)
	if err := db.Append(ctx, postgres.In(o.ID), want); err != nil {
		t.Fatal(err)
	}
	got := readLog(t, db, postgres.In(o.ID), postgres.AuditFilter{Action: audit.Users})[0]
	if diff := cmp.Diff(want, got.Entry); diff != "" {
		t.Error(diff)
	}
	if got.By.User != by.User || got.By.Email != by.Email || got.By.Key != by.Key || got.By.Reason != by.Reason || got.From != "192.168.1.100" || got.Erased {
		t.Errorf("the actor was read back as %+v from %s", got.By, got.From)
	}
	if got.At.Before(began) || got.At.After(time.Now().Add(time.Minute)) || got.ID == "" {
		t.Errorf("the entry is %s of %s", got.ID, got.At)
	}
	// Personal values stand outside of what is hashed.
	var body string
	if err := db.In(postgres.AllOrganisations()).QueryRow(t.Context(), `SELECT string_agg(body, '') FROM audit_entry WHERE org = $1 AND action = 'users'`, o.ID).Scan(&body); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"Иван", "900", "Owner@", "192.168"} {
		if strings.Contains(body, secret) {
			t.Errorf("%q is in the chain: %s", secret, body)
		}
	}
}

// An entry is the change's own: with a change that is rolled back it is gone, and the
// chain has no gap.
func TestAuditIsOfTheTransaction(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "mine")
	before := len(readLog(t, db, postgres.In(o.ID), postgres.AuditFilter{}))
	refused := errors.New("no")
	err := db.Change(t.Context(), postgres.In(o.ID), postgres.CoreTopic, func(tx postgres.Tx) error {
		tx.Record(renamed(o.ID, 1))
		return refused
	})
	if !errors.Is(err, refused) {
		t.Fatal(err)
	}
	// Also when what fails is a later entry.
	if err := db.Append(t.Context(), postgres.In(o.ID), renamed(o.ID, 1), renamed(schema.NewID[schema.OrganisationID](), 1)); err == nil {
		t.Error("an organisation's scope wrote into another's log")
	}
	if got := len(readLog(t, db, postgres.In(o.ID), postgres.AuditFilter{})); got != before {
		t.Errorf("changes that were rolled back left %d entries", got-before)
	}
	fillLog(t, db, o.ID, 3)
	if r := verify(t, db); r.Broken != 0 {
		t.Errorf("%+v", r)
	}
}

// A change that neither records anything nor says why is not made.
func TestChangeMustBeRecorded(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "mine")
	change := func(excuse string) error {
		return db.Change(t.Context(), postgres.In(o.ID), postgres.CoreTopic, func(tx postgres.Tx) error {
			if excuse != "" {
				tx.Unrecorded(excuse)
			}
			_, err := tx.Exec(t.Context(), `UPDATE organisation SET name = 'renamed' || $1 WHERE id = $2`, excuse, o.ID)
			return err
		})
	}
	if err := change(""); err == nil || !strings.Contains(err.Error(), "BUG") {
		t.Errorf("a change without an entry: %v", err)
	}
	if got, err := db.Organisation(t.Context(), postgres.In(o.ID), o.ID); err != nil || got.Name != "mine" {
		t.Errorf("it was made: %q %v", got.Name, err)
	}
	if err := change("nobody's doing"); err != nil {
		t.Error(err)
	}
}

// The runtime's roles read and add, and nothing else; an organisation reads its own
// log only, and the system's is the super-admin's.
func TestAuditIsAppendOnly(t *testing.T) {
	db := postgrestest.Open(t)
	mine, theirs := postgrestest.Organisation(t, db, "mine"), postgrestest.Organisation(t, db, "theirs")
	fillLog(t, db, mine.ID, 2)
	fillLog(t, db, theirs.ID, 2)
	if err := db.Append(t.Context(), postgres.AllOrganisations(), renamed(schema.OrganisationID{}, 1)); err != nil {
		t.Fatal(err)
	}
	for _, scope := range []postgres.Scope{postgres.In(mine.ID), postgres.AllOrganisations()} {
		for _, sql := range []string{
			`UPDATE audit_entry SET body = body`, `UPDATE audit_entry SET at = now()`, `UPDATE audit_entry SET personal = '{}'`,
			`DELETE FROM audit_entry`, `TRUNCATE audit_entry`,
			`UPDATE audit_chain SET entries = 0`, `DELETE FROM audit_chain`, `TRUNCATE audit_chain`,
			`INSERT INTO audit_chain VALUES (gen_random_uuid(), NULL, 0, now(), '')`,
			`INSERT INTO audit_entry (org, body, seq, at, previous, hash) VALUES (NULL, '{}', 1, now(), '', '')`,
			`ALTER TABLE audit_entry DISABLE TRIGGER audit_link`, `DROP TABLE audit_entry`,
			`DROP TRIGGER audit_link ON audit_entry`, `CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger LANGUAGE sql AS ''`,
		} {
			if _, err := db.In(scope).Exec(t.Context(), sql); err == nil || !denied(err) {
				t.Errorf("%s may do %q: %v", scope, sql, err)
			}
		}
	}
	if _, err := db.In(postgres.In(mine.ID)).Exec(t.Context(), `SELECT audit_erase($1)`, schema.NewID[schema.UserID]()); err == nil || !denied(err) {
		t.Errorf("an organisation's scope may erase: %v", err)
	}
	var zero postgres.Scope
	if lines := readLog(t, db, zero, postgres.AuditFilter{}); len(lines) != 0 {
		t.Errorf("the zero scope reads %d entries", len(lines))
	}
	for _, l := range readLog(t, db, postgres.In(mine.ID), postgres.AuditFilter{}) {
		if l.Organisation != mine.ID {
			t.Errorf("an entry of %s is in the log of %s", l.Organisation, mine.ID)
		}
	}
	for _, l := range readLog(t, db, postgres.AllOrganisations(), postgres.AuditFilter{System: true}) {
		if !l.Organisation.IsZero() {
			t.Errorf("an entry of %s is in the system's log", l.Organisation)
		}
	}
	if r := verify(t, db); r.Broken != 0 || r.Chains != 3 {
		t.Errorf("%+v", r)
	}
}

// asOwner runs statements as who owns the tables.
func asOwner(t *testing.T, db *postgres.DB, sql string) error {
	t.Helper()
	owner, err := db.Owner(t.Context())
	if err != nil {
		return err
	}
	defer owner.Close()
	_, err = owner.Exec(t.Context(), sql)
	return err
}

func denied(err error) bool {
	text := err.Error()
	return strings.Contains(text, "permission denied") || strings.Contains(text, "must be owner")
}

// Whatever the owner of the tables does to an entry is found, and where.
func TestTamperingIsFound(t *testing.T) {
	const n = 6
	f := func(what, sql string, want ...audit.Broken) {
		t.Helper()
		db := postgrestest.Open(t)
		o := schema.NewID[schema.OrganisationID]()
		ctx, _ := someone(t.Context())
		for i := range n {
			if err := db.Append(ctx, postgres.AllOrganisations(), renamed(o, i+1)); err != nil {
				t.Fatal(err)
			}
		}
		if r := verify(t, db); r.Broken != 0 {
			t.Fatalf("before: %+v", r)
		}
		if err := asOwner(t, db, sql); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		r := verify(t, db)
		for i := range want {
			want[i].Organisation = o
		}
		var got []audit.Broken
		for _, b := range r.Details {
			if b.Organisation == o {
				b.Detail = ""
				got = append(got, b)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || int(r.Broken) < len(want) {
			t.Errorf("%s: %d broken %s", what, r.Broken, diff)
		}
	}
	changed, missing := func(seq int64) audit.Broken { return audit.Broken{Seq: seq, Fault: audit.Changed} },
		func(seq int64) audit.Broken { return audit.Broken{Seq: seq, Fault: audit.Missing} }
	f("nothing", `SELECT 1`)
	f("what", `UPDATE audit_entry SET body = replace(body, '№3', '№9') WHERE seq = 3`, changed(3))
	f("who", `UPDATE audit_entry SET body = jsonb_set(body::jsonb, '{user}', '""')::text WHERE seq = 3`, changed(3))
	f("when", `UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE seq = 3`, changed(3))
	f("the hash", `UPDATE audit_entry SET hash = sha256('x') WHERE seq = 3`, changed(3))
	f("the hash before", `UPDATE audit_entry SET previous = sha256('x') WHERE seq = 3`, changed(3))
	f("an e-mail", `UPDATE audit_entry SET personal = jsonb_set(personal, '{email}', '"x@example.com"') WHERE seq = 3`, changed(3))
	f("a salt", `UPDATE audit_entry SET salts = jsonb_set(salts, '{email}', '"00"') WHERE seq = 3`, changed(3))
	f("an e-mail without its salt", `UPDATE audit_entry SET personal = personal - 'email' WHERE seq = 3`, changed(3))
	f("an e-mail put in", `UPDATE audit_entry SET personal = personal || '{"object": "x"}' WHERE seq = 3`, changed(3))
	f("deletion", `DELETE FROM audit_entry WHERE seq IN (3, 4)`, missing(3))
	f("deletion at the beginning", `DELETE FROM audit_entry WHERE seq = 1`, missing(1))
	f("a cut end", `DELETE FROM audit_entry WHERE seq > 4`, audit.Broken{Seq: 5, Fault: audit.Cut})
	f("truncation", `TRUNCATE audit_entry`, audit.Broken{Seq: 1, Fault: audit.Cut})
	f("a swap", `UPDATE audit_entry SET seq = -seq WHERE seq IN (3, 4); UPDATE audit_entry SET seq = 7 + seq WHERE seq < 0`,
		changed(3), audit.Broken{Seq: 4, Fault: audit.Reordered})
	f("a number", `UPDATE audit_entry SET seq = 9 WHERE seq = 3`, missing(3), missing(7), audit.Broken{Seq: 9, Fault: audit.Reordered}, audit.Broken{Seq: 7, Fault: audit.Added})
	f("another chain", `UPDATE audit_entry SET org = NULL WHERE seq = 6`, audit.Broken{Seq: 6, Fault: audit.Cut})
	f("the end of a chain", `UPDATE audit_chain SET entries = 5`, audit.Broken{Seq: 6, Fault: audit.Added})
	f("the end's hash", `UPDATE audit_chain SET hash = ''`, changed(6))
	f("the end's time", `UPDATE audit_chain SET at = at + interval '1 second'`, changed(6))
	f("no end", `TRUNCATE audit_chain`, audit.Broken{Seq: 1, Fault: audit.Added})
	f("a forged tail", `ALTER TABLE audit_entry DISABLE TRIGGER audit_link;
		INSERT INTO audit_entry (org, seq, at, body, previous, hash) SELECT org, 7, at + interval '1 second', body, hash, sha256('x') FROM audit_entry WHERE seq = 6`,
		changed(7), audit.Broken{Seq: 7, Fault: audit.Added})
	f("an entry written anew with its hash", `UPDATE audit_entry e SET body = f.body, personal = '{}', salts = '{}', hash = sha256(convert_to('{"at":"' || to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
		|| '","entry":' || f.body || ',"org":"' || e.org || '","previous":"' || encode(e.previous, 'hex') || '","seq":3}', 'UTF8'))
		FROM (SELECT '{"action":"view","object":{"kind":"page"},"user":""}' AS body) f WHERE e.seq = 3`, changed(3))
}

// Erasing a person leaves nothing of him in the log and the log whole.
func TestErasureKeepsTheChain(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "mine")
	ctx, gone := someone(t.Context())
	other := audit.Actor{User: schema.NewID[schema.UserID](), Email: "other@example.com", Address: netip.MustParseAddr("10.0.0.7")}
	about := audit.Entry{
		Organisation: o.ID, Action: audit.Users, Object: audit.Object{Kind: audit.KindUser, ID: gone.User.String(), Name: "Ivan Ivanov"},
		Fields: []audit.Field{{Name: "email", Old: gone.Email, New: "ivan@new.example.com", Personal: true}, {Name: "role", Old: "viewer", New: "admin"}},
	}
	failed := audit.Entry{
		Organisation: o.ID, Action: audit.LoginFailed, Object: audit.Object{Kind: "session"},
		Fields: []audit.Field{{Name: "email", New: strings.ToLower(gone.Email), Personal: true}},
	}
	for _, err := range []error{
		db.Append(ctx, postgres.In(o.ID), renamed(o.ID, 1)),
		db.Append(audit.By(t.Context(), other), postgres.In(o.ID), about),
		db.Append(t.Context(), postgres.In(o.ID), failed),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := db.EraseFromAudit(t.Context(), gone.User); err != nil || n != 3 {
		t.Fatalf("erased from %d entries, want 3: %v", n, err)
	}
	var all string
	if err := db.In(postgres.AllOrganisations()).QueryRow(t.Context(), `SELECT string_agg(e::text, '') FROM audit_entry e`).Scan(&all); err != nil {
		t.Fatal(err)
	}
	for _, trace := range []string{"owner@example.com", "ivan", "192.168.1.100"} {
		if strings.Contains(strings.ToLower(all), trace) {
			t.Errorf("%q is still in the log", trace)
		}
	}
	if !strings.Contains(all, "other@example.com") || !strings.Contains(all, "10.0.0.7") {
		t.Error("what the other person did was erased too")
	}
	if r := verify(t, db); r.Broken != 0 {
		t.Errorf("%+v", r)
	}
	lines := readLog(t, db, postgres.In(o.ID), postgres.AuditFilter{Action: audit.Users})
	if len(lines) != 1 || !lines[0].Erased || lines[0].By.Email != other.Email || lines[0].Fields[1].New != "admin" {
		t.Errorf("%+v", lines)
	}
}

// Transactions that write into several logs in any order do not lock each other out,
// and every chain is in order.
func TestManyChainsAtOnce(t *testing.T) {
	db := postgrestest.Open(t)
	ids := make([]schema.OrganisationID, 4)
	for i := range ids {
		ids[i] = schema.NewID[schema.OrganisationID]()
	}
	const workers, rounds = 8, 25
	done := make(chan error, workers)
	for w := range workers {
		go func() {
			done <- func() error {
				for n := range rounds {
					entries := []audit.Entry{}
					for i := range ids {
						entries = append(entries, renamed(ids[(i*(w%2*2-1)+w+n+len(ids))%len(ids)], n))
					}
					if err := db.Append(t.Context(), postgres.AllOrganisations(), entries...); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range workers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if r := verify(t, db); r.Broken != 0 || r.Entries != workers*rounds*4 || r.Chains != 4 {
		t.Errorf("%+v", r)
	}
}

// A batch keeps who did what apart.
func TestActsOfSeveralPeople(t *testing.T) {
	db := postgrestest.Open(t)
	o := schema.NewID[schema.OrganisationID]()
	var acts []audit.Act
	for i := range 500 {
		whose := o
		if i%2 == 1 {
			whose = schema.OrganisationID{}
		}
		acts = append(acts, audit.Act{Entry: renamed(whose, i), By: audit.Actor{User: schema.NewID[schema.UserID](), Email: fmt.Sprintf("%d@example.com", i)}})
	}
	if err := db.AppendActs(t.Context(), acts); err != nil {
		t.Fatal(err)
	}
	lines := readLog(t, db, postgres.In(o), postgres.AuditFilter{})
	if len(lines) != 200 || lines[0].By.Email != "498@example.com" || lines[1].By.Email != "496@example.com" {
		t.Errorf("%d entries, the last by %s", len(lines), lines[0].By.Email)
	}
	if r := verify(t, db); r.Broken != 0 {
		t.Errorf("%+v", r)
	}
}

func TestAuditFilters(t *testing.T) {
	db := postgrestest.Open(t)
	o := postgrestest.Organisation(t, db, "mine")
	ctx, by := someone(t.Context())
	start := len(readLog(t, db, postgres.In(o.ID), postgres.AuditFilter{}))
	fillLog(t, db, o.ID, 3)
	seen := audit.Entry{Organisation: o.ID, Action: audit.View, Object: audit.Object{Kind: "page", Name: "/devices"}}
	if err := db.Append(ctx, postgres.In(o.ID), seen); err != nil {
		t.Fatal(err)
	}
	all := readLog(t, db, postgres.In(o.ID), postgres.AuditFilter{})
	f := func(want int, filter postgres.AuditFilter) {
		t.Helper()
		if got := readLog(t, db, postgres.In(o.ID), filter); len(got) != want {
			t.Errorf("%+v admits %d entries, want %d", filter, len(got), want)
		}
	}
	f(start+4, postgres.AuditFilter{})
	f(1, postgres.AuditFilter{User: by.User})
	f(4, postgres.AuditFilter{Email: "owner@EXAMPLE.com"})
	f(1, postgres.AuditFilter{Action: audit.View})
	f(2, postgres.AuditFilter{Query: "вЕЛОСИПЕД №2"})
	f(4, postgres.AuditFilter{Query: "192.168.1.1"})
	f(0, postgres.AuditFilter{Query: "%"})
	f(0, postgres.AuditFilter{System: true})
	f(1, postgres.AuditFilter{From: all[0].At})
	f(start+3, postgres.AuditFilter{To: all[0].At})
	if !slices.IsSortedFunc(all, func(a, b postgres.AuditLine) int { return b.At.Compare(a.At) }) {
		t.Error("the newest do not come first")
	}
	var pages []postgres.AuditLine
	var page postgres.Page
	for page.Limit = 2; ; {
		lines, next, err := db.AuditLog(t.Context(), postgres.In(o.ID), postgres.AuditFilter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, lines...)
		if page.After = next; next == (postgres.Cursor{}) {
			break
		}
	}
	if !slices.EqualFunc(all, pages, func(a, b postgres.AuditLine) bool { return a.ID == b.ID }) {
		t.Errorf("page by page there are %d entries, at once %d", len(pages), len(all))
	}
	var oldest []string
	if err := db.ExportAudit(t.Context(), postgres.In(o.ID), postgres.AuditFilter{}, func(l audit.Line) error {
		oldest = append(oldest, l.ID)
		return nil
	}); err != nil || len(oldest) != len(all) || oldest[0] != all[len(all)-1].ID {
		t.Errorf("exported %d: %v", len(oldest), err)
	}
}
