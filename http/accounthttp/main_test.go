package accounthttp_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"mybeacon/engine/embedded/embeddedtest"
	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/http/accounthttp"
	"mybeacon/http/corehttp"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

const (
	login    = "/api/v1/auth/login"
	me       = "/api/v1/auth/me"
	users    = "/api/v1/client/users"
	register = "/api/v1/auth/register"
	password = "/api/v1/auth/password"
	orgs     = "/api/v1/admin/organisations"
)

// clock is a clock that a test turns.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a running server with all routes about people, and mails that are kept.
type world struct {
	*shelltest.Server
	*clock
	tb testing.TB
}

func start(tb testing.TB) *world {
	tb.Helper()
	w := &world{clock: &clock{at: time.Now()}, tb: tb}
	configure := func(c *shell.Config) {
		c.Clock, c.Key, c.Products = w.now, []byte(strings.Repeat("k", shell.KeyBytes)), []string{"ble", "wifi"}
	}
	w.Server = shelltest.Start(tb, configure, func(s *shelltest.Server) {
		mails, err := mail.New(mail.Config{DB: s.DB, Log: slog.New(slog.DiscardHandler), BaseURL: "https://beacon.example.com"})
		if err != nil {
			tb.Fatal(err)
		}
		accounthttp.Register(s.Server, accounthttp.Config{DB: s.DB, Mail: mails})
		corehttp.Register(s.Server, corehttp.Config{DB: s.DB, Online: shelltest.Offline{}, Plans: noPlans{}})
	})
	return w
}

// noPlans is a world without products.
type noPlans struct{}

func (noPlans) PlansOf(context.Context, postgres.Scope, []schema.LocationID) (map[schema.LocationID][]schema.PlanRef, error) {
	return nil, nil
}

// letter is a mail that waits in the outbox.
type letter struct {
	Template, Language, Link, Password, Products string
}

// token is what stands after # in the link.
func (l letter) token() string {
	_, token, _ := strings.Cut(l.Link, "#")
	return token
}

// mails returns the mails to the address, the oldest first.
func (w *world) mails(to string) []letter {
	w.tb.Helper()
	rows, err := w.DB.In(postgres.AllOrganisations()).Query(w.tb.Context(), `SELECT template, language,
		coalesce(secrets->>'link', ''), coalesce(secrets->>'password', ''), coalesce(data->>'products', '')
		FROM mail WHERE lower(recipient) = lower($1) ORDER BY id`, to)
	if err != nil {
		w.tb.Fatal(err)
	}
	defer rows.Close()
	var found []letter
	for rows.Next() {
		var l letter
		if err := rows.Scan(&l.Template, &l.Language, &l.Link, &l.Password, &l.Products); err != nil {
			w.tb.Fatal(err)
		}
		found = append(found, l)
	}
	if rows.Err() != nil {
		w.tb.Fatal(rows.Err())
	}
	return found
}

// mail returns the newest mail to the address, which must be of the template.
func (w *world) mail(to, template string) letter {
	w.tb.Helper()
	all := w.mails(to)
	if len(all) == 0 || all[len(all)-1].Template != template {
		w.tb.Fatalf("mails to %s: %+v, want %s at the end", to, all, template)
	}
	return all[len(all)-1]
}

// count returns what the statement counts.
func (w *world) count(sql string, args ...any) int {
	w.tb.Helper()
	var n int
	if err := w.DB.In(postgres.AllOrganisations()).QueryRow(w.tb.Context(), sql, args...).Scan(&n); err != nil {
		w.tb.Fatal(err)
	}
	return n
}

// enter logs in with [shelltest.Password].
func (w *world) enter(email string) *shelltest.Client { return w.Login(email) }

// with logs in with another password.
func (w *world) with(email, word string) *shelltest.Client {
	w.tb.Helper()
	c := w.Nobody()
	c.Want(200, "POST", login, map[string]string{"email": email, "password": word}, nil)
	return c
}

// organisation returns an organisation with an Owner, who is logged in.
func (w *world) organisation(name string) (postgres.Organisation, *shelltest.Client) {
	w.tb.Helper()
	o := postgrestest.Organisation(w.tb, w.DB, name, "ble")
	w.Account(o, "owner@"+name+".example.com", "owner")
	return o, w.enter("owner@" + name + ".example.com")
}

// person finds a person's id by e-mail.
func (w *world) person(email string) schema.UserID {
	w.tb.Helper()
	var id schema.UserID
	row := w.DB.In(postgres.AllOrganisations()).QueryRow(w.tb.Context(), `SELECT id FROM account WHERE email = $1`, email)
	if err := row.Scan(&id); err != nil {
		w.tb.Fatal(err)
	}
	return id
}

type body = map[string]any

type list[T any] struct {
	Items []T
	Next  string
}
