package accounthttp_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

// Of a thousand who take a link at once one gets it.
func TestLinkIsTakenOnce(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	a := w.Account(o, "a@example.com", "viewer")
	now := time.Now()
	var token string
	err := w.DB.Write(t.Context(), postgres.AllOrganisations(), func(tx postgres.Tx) (err error) {
		tx.Unrecorded("a test")
		token, err = postgres.InsertLink(t.Context(), tx, postgres.Link{
			Purpose: postgres.LinkPassword, Organisation: o.ID, Account: a.ID, Email: a.Email, ExpiresAt: now.Add(time.Hour),
		}, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			err := w.DB.Write(context.Background(), postgres.AllOrganisations(), func(tx postgres.Tx) error {
				tx.Unrecorded("a test")
				_, err := postgres.TakeLink(context.Background(), tx, token, now, postgres.LinkPassword, postgres.LinkInvitation)
				return err
			})
			switch {
			case err == nil:
				won.Add(1)
			case schema.KindOf(err) == schema.NotFound:
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 999 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
}

// A reset ends every session and every other link, and works once.
func TestResetEndsSessions(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	w.Account(o, "a@example.com", "viewer")
	thief, victim := w.enter("a@example.com"), w.enter("a@example.com")
	var token struct{ Token string }
	thief.Want(201, "POST", "/api/v1/auth/tokens", body{"name": "kept"}, &token)
	script := w.Nobody()
	script.Bearer = token.Token
	script.Want(200, "GET", locations, nil, nil)
	victim.Want(202, "POST", "/api/v1/auth/me/email", body{"email": "new@example.com", "password": shelltest.Password}, nil)
	move := w.mail("new@example.com", mail.EmailChange)
	c := w.Nobody()
	c.Want(202, "POST", password+"/forgot", body{"email": "A@example.com"}, nil)
	old := w.mail("a@example.com", mail.Password)
	c.Want(202, "POST", password+"/forgot", body{"email": "a@example.com"}, nil)
	reset := w.mail("a@example.com", mail.Password)
	c.Refuse(404, "POST", password, body{"token": old.token(), "password": "a fine day outside"})
	// A link is for one thing only.
	c.Refuse(404, "POST", "/api/v1/auth/confirm", body{"token": reset.token()})
	c.Refuse(404, "POST", password, body{"token": move.token(), "password": "a fine day outside"})
	c.Want(204, "POST", password, body{"token": reset.token(), "password": "a fine day outside"}, nil)
	c.Refuse(404, "POST", password, body{"token": reset.token(), "password": "a fine day outside"})
	c.Refuse(404, "POST", "/api/v1/auth/confirm", body{"token": move.token()})
	thief.Refuse(401, "GET", me, nil)
	script.Refuse(401, "GET", locations, nil)
	victim.Refuse(401, "GET", me, nil)
	c.Refuse(401, "POST", login, body{"email": "a@example.com", "password": shelltest.Password})
	w.with("a@example.com", "a fine day outside")
}

// Whether there is an account shows neither in the words nor in what is written: only
// the mail differs.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	w.Account(o, "known@example.com", "owner")
	type answer struct {
		Status int
		Body   string
		Rows   int
	}
	ask := func(path string, with body) answer {
		rows := w.count(`SELECT count(*) FROM audit_entry`)
		r := w.Nobody().Do("POST", path, with)
		p := r.Problem()
		return answer{r.StatusCode, p.Detail, w.count(`SELECT count(*) FROM audit_entry`) - rows}
	}
	for path, with := range map[string]body{
		register:             application(""),
		password + "/forgot": {},
		login:                {"password": "not the password"},
	} {
		var seen []answer
		for _, email := range []string{"known@example.com", "unknown@example.com"} {
			with["email"] = email
			seen = append(seen, ask(path, with))
		}
		if diff := cmp.Diff(seen[0], seen[1]); diff != "" {
			t.Errorf("%s tells: %s", path, diff)
		}
	}
	if got := w.mails("unknown@example.com"); len(got) != 1 || got[0].Template != mail.Confirm {
		t.Errorf("mails to nobody: %+v", got)
	}
	var templates []string
	for _, m := range w.mails("known@example.com") {
		templates = append(templates, m.Template)
	}
	slices.Sort(templates)
	if fmt.Sprint(templates) != fmt.Sprint([]string{mail.Password, mail.Registered}) {
		t.Errorf("got %v", templates)
	}
	// The note's link is nobody's: the account stays as it was.
	if n := w.count(`SELECT count(*) FROM link WHERE expires_at > now() AND lower(email) = 'known@example.com' AND account IS NULL`); n != 0 {
		t.Errorf("%d links claim a known e-mail", n)
	}
}

func TestMailsAreBounded(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	w.Account(o, "a@example.com", "viewer")
	c := w.Nobody()
	for range 10 {
		c.Want(202, "POST", password+"/forgot", body{"email": "a@example.com"}, nil)
	}
	if n := len(w.mails("a@example.com")); n != 5 {
		t.Errorf("%d mails in an hour, want 5", n)
	}
	if r := c.Do("POST", password+"/forgot", body{"email": "b@example.com"}); r.StatusCode != 429 || r.Header.Get("Retry-After") == "" {
		t.Errorf("got %d", r.StatusCode)
	}
	w.pass(time.Hour)
	c.Want(202, "POST", password+"/forgot", body{"email": "a@example.com"}, nil)
	if n := len(w.mails("a@example.com")); n != 6 {
		t.Errorf("%d mails, want 6", n)
	}
}

// Links and own passwords cannot be guessed for long either.
func TestGuessesAreCounted(t *testing.T) {
	w := start(t)
	c := w.Nobody()
	for i := range 10 {
		c.Refuse(404, "POST", "/api/v1/auth/links", body{"token": postgres.NewSecret("")[:40] + fmt.Sprintf("%03d", i)})
	}
	c.Refuse(429, "POST", "/api/v1/auth/confirm", body{"token": postgres.NewSecret("")})
	w.pass(15 * time.Minute)
	c.Refuse(404, "POST", "/api/v1/auth/confirm", body{"token": postgres.NewSecret("")})

	o, owner := w.organisation("o")
	w.organisation("other")
	for range 10 {
		owner.Refuse(409, "POST", users, body{"email": "owner@other.example.com", "role": "viewer"})
	}
	owner.Refuse(429, "POST", users, body{"email": "somebody@example.com", "role": "viewer"})
	w.Account(o, "a@example.com", "viewer")
	stolen := w.enter("a@example.com")
	for range 10 {
		stolen.Refuse(400, "PUT", me+"/password", body{"current": "a guess of mine", "password": "a fine day outside"})
	}
	stolen.Refuse(429, "PUT", me+"/password", body{"current": shelltest.Password, "password": "a fine day outside"})
}

func TestSessions(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	w.Account(o, "a@example.com", "viewer")
	w.Account(o, "b@example.com", "viewer")
	one, two, three, foreign := w.enter("a@example.com"), w.enter("a@example.com"), w.enter("a@example.com"), w.enter("b@example.com")
	const path = "/api/v1/auth/sessions"
	type session struct {
		ID      string
		Current bool
		Address string
		Agent   string
	}
	var mine list[session]
	one.Want(200, "GET", path, nil, &mine)
	if len(mine.Items) != 3 || !mine.Items[2].Current || mine.Items[0].Current || mine.Items[0].Address != "127.0.0.1" || mine.Items[0].Agent == "" {
		t.Fatalf("got %+v", mine)
	}
	foreign.Refuse(404, "DELETE", path+"/"+mine.Items[0].ID, nil)
	one.Want(204, "DELETE", path+"/"+mine.Items[1].ID, nil, nil)
	two.Refuse(401, "GET", me, nil)
	three.Want(204, "DELETE", path, nil, nil)
	one.Refuse(401, "GET", me, nil)
	three.Want(200, "GET", path, nil, &mine)
	if len(mine.Items) != 1 || !mine.Items[0].Current {
		t.Errorf("got %+v", mine)
	}
	w.enter("a@example.com")
	three.Want(204, "PUT", me+"/password", body{"current": shelltest.Password, "password": "a fine day outside"}, nil)
	three.Want(200, "GET", path, nil, &mine)
	if len(mine.Items) != 1 {
		t.Errorf("a new password left %+v", mine)
	}
	foreign.Want(200, "GET", me, nil, nil)
}

func TestChangeOfEmail(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	w.Account(o, "a@example.com", "viewer")
	w.Account(o, "b@example.com", "viewer")
	c := w.enter("a@example.com")
	const path = me + "/email"
	c.Refuse(400, "POST", path, body{"email": "new@example.com", "password": "a guess of mine"})
	c.Want(202, "POST", path, body{"email": "new@example.com", "password": shelltest.Password}, nil)
	letter := w.mail("new@example.com", mail.EmailChange)
	w.mail("a@example.com", mail.EmailChanged)
	w.Nobody().Want(204, "POST", "/api/v1/auth/confirm", body{"token": letter.token()}, nil)
	var who shell.Me
	c.Want(200, "GET", me, nil, &who)
	if who.User.Email != "new@example.com" {
		t.Errorf("got %+v", who.User)
	}
	w.enter("new@example.com")
	w.Nobody().Refuse(401, "POST", login, body{"email": "a@example.com", "password": shelltest.Password})

	// Somebody else's e-mail: the same answer, a note to him, and nothing to confirm.
	c.Want(202, "POST", path, body{"email": "b@example.com", "password": shelltest.Password}, nil)
	if got := w.mail("b@example.com", mail.Registered); got.token() != "" {
		t.Errorf("got %+v", got)
	}
}

// A revoked right shows at the next request, whatever proved the caller.
func TestDisabledAccountIsOut(t *testing.T) {
	w := start(t)
	o, owner := w.organisation("o")
	a := w.Account(o, "a@example.com", "owner")
	c := w.enter("a@example.com")
	var token, key struct{ Token, Key string }
	c.Want(201, "POST", "/api/v1/auth/tokens", body{"name": "t"}, &token)
	c.Want(201, "POST", "/api/v1/client/keys", body{"name": "k", "actions": []string{"view", "manage_users"}}, &key)
	byToken, byKey := w.Nobody(), w.Nobody()
	byToken.Bearer, byKey.Bearer = token.Token, key.Key
	byToken.Want(200, "GET", me, nil, nil)
	byKey.Want(200, "GET", users, nil, nil)
	owner.Want(200, "PATCH", users+"/"+a.ID.String(), body{"role": "manager"}, nil)
	byKey.Refuse(403, "GET", users, nil)
	byKey.Want(200, "GET", "/api/v1/client/organisation", nil, nil)
	owner.Want(200, "PATCH", users+"/"+a.ID.String(), body{"disabled": true}, nil)
	c.Refuse(401, "GET", me, nil)
	byToken.Refuse(401, "GET", me, nil)
	byKey.Refuse(401, "GET", "/api/v1/client/organisation", nil)
	w.Nobody().Refuse(401, "POST", login, body{"email": "a@example.com", "password": shelltest.Password})
	owner.Want(200, "PATCH", users+"/"+a.ID.String(), body{"disabled": false}, nil)
	c.Refuse(401, "GET", me, nil) // the old session does not come back
}
