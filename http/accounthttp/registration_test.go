package accounthttp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/mail"
	shell "mybeacon/http"
	"mybeacon/http/accounthttp"
	"mybeacon/http/shelltest"
)

func application(email string) body {
	return body{"email": email, "password": "a fine day outside", "organisation": "Кафе", "phone": "+7 (495) 123-45-67", "language": "ru"}
}

// The customer's first way, from the form to the first sight of a product.
func TestRegistrationByThemselves(t *testing.T) {
	w := start(t)
	c := w.Nobody()
	c.Want(202, "POST", register, application("maria@example.com"), nil)
	letter := w.mail("maria@example.com", mail.Confirm)
	if letter.Language != "ru" || !strings.HasPrefix(letter.Link, "/confirm#") {
		t.Fatalf("got %+v", letter)
	}
	// Nothing is made before the e-mail is proven.
	c.Refuse(401, "POST", login, body{"email": "maria@example.com", "password": "a fine day outside"})
	if n := w.count(`SELECT count(*) FROM organisation`); n != 0 {
		t.Errorf("%d organisations before the confirmation", n)
	}
	var look struct{ Purpose, Email, Organisation string }
	c.Want(200, "POST", "/api/v1/auth/links", body{"token": letter.token()}, &look)
	if look.Purpose != "confirm" || look.Email != "maria@example.com" || look.Organisation != "Кафе" {
		t.Errorf("got %+v", look)
	}
	c.Want(204, "POST", "/api/v1/auth/confirm", body{"token": letter.token(), "password": "a fine day outside"}, nil)
	c.Refuse(404, "POST", "/api/v1/auth/confirm", body{"token": letter.token(), "password": "a fine day outside"})
	w.mail(shelltest.AdminEmail, mail.Pending)

	maria := w.with("maria@example.com", "a fine day outside")
	var who shell.Me
	maria.Want(200, "GET", me, nil, &who)
	if who.Activated || who.User.Role != "owner" || who.Organisation.Name != "Кафе" || who.Organisation.Phone != "+74951234567" || !slices.Contains(who.Rights.Actions, "manage_users") {
		t.Errorf("got %+v", who)
	}
	admin := w.enter(shelltest.AdminEmail)
	var waiting list[accounthttp.Organisation]
	admin.Want(200, "GET", orgs+"?pending=true", nil, &waiting)
	if len(waiting.Items) != 1 || waiting.Items[0].Email != "maria@example.com" || !waiting.Items[0].Pending || waiting.Items[0].Users != 1 {
		t.Fatalf("got %+v", waiting)
	}
	one := orgs + "/" + waiting.Items[0].ID.String()
	admin.Want(200, "PATCH", one, body{"products": []string{"ble"}}, nil)
	admin.Want(200, "PATCH", one, body{"products": []string{"ble"}}, nil)
	if got := w.mail("maria@example.com", mail.Activated); got.Products != "ble" || len(w.mails("maria@example.com")) != 2 {
		t.Errorf("got %+v of %+v", got, w.mails("maria@example.com"))
	}
	maria.Want(200, "GET", me, nil, &who)
	if !who.Activated || fmt.Sprint(who.Products) != "[ble]" {
		t.Errorf("got %+v", who)
	}
	admin.Want(200, "GET", orgs+"?pending=true", nil, &waiting)
	if len(waiting.Items) != 0 {
		t.Errorf("still waiting: %+v", waiting)
	}
}

// Two customers of one name are both let in, and neither learns of the other.
func TestRegistrationOfATakenName(t *testing.T) {
	w := start(t)
	for _, email := range []string{"a@example.com", "b@example.com"} {
		w.Nobody().Want(202, "POST", register, application(email), nil)
		w.Nobody().Want(204, "POST", "/api/v1/auth/confirm", body{"token": w.mail(email, mail.Confirm).token(), "password": "a fine day outside"}, nil)
	}
	if n := w.count(`SELECT count(*) FROM organisation WHERE name IN ('Кафе', 'Кафе 2')`); n != 2 {
		t.Errorf("got %d", n)
	}
}

// Registering again takes the place of the first attempt; of two links in one mailbox
// only the newer works.
func TestRegistrationAgain(t *testing.T) {
	w := start(t)
	c := w.Nobody()
	c.Want(202, "POST", register, application("a@example.com"), nil)
	first := w.mail("a@example.com", mail.Confirm)
	c.Want(202, "POST", register, application("A@example.com"), nil)
	second := w.mail("a@example.com", mail.Confirm)
	if second.token() == first.token() {
		t.Fatal("there is no second mail")
	}
	// Whoever registers somebody else's address does not take the place of who has it.
	c.Want(204, "POST", "/api/v1/auth/confirm", body{"token": first.token(), "password": "a fine day outside"}, nil)
	c.Refuse(404, "POST", "/api/v1/auth/confirm", body{"token": second.token()})
}

// Who registers somebody else's address gets no account by the owner's click: he does
// not know that password, and nobody can try many.
func TestRegistrationBySomebodyElse(t *testing.T) {
	w := start(t)
	c := w.Nobody()
	c.Want(202, "POST", register, application("victim@example.com"), nil)
	token := w.mail("victim@example.com", mail.Confirm).token()
	const confirm = "/api/v1/auth/confirm"
	if p := c.Refuse(400, "POST", confirm, body{"token": token}); !strings.Contains(p.Detail, "password") {
		t.Errorf("got %s", p.Detail)
	}
	for range 10 {
		if p := c.Refuse(400, "POST", confirm, body{"token": token, "password": "a guess of mine"}); !strings.Contains(p.Detail, "at the registration") {
			t.Errorf("got %s", p.Detail)
		}
	}
	c.Refuse(429, "POST", confirm, body{"token": token, "password": "a fine day outside"})
	if n := w.count(`SELECT count(*) FROM account WHERE email = 'victim@example.com'`); n != 0 {
		t.Error("there is an account")
	}
	w.pass(15 * time.Minute) // the link is not used up by guesses
	c.Want(204, "POST", confirm, body{"token": token, "password": "a fine day outside"}, nil)
	w.with("victim@example.com", "a fine day outside").Want(200, "GET", me, nil, nil)
}

func TestRegistrationRefusals(t *testing.T) {
	w := start(t)
	c := w.Nobody()
	for field, values := range map[string][]any{
		"email":        {"", "x", "a b@example.com", "Maria <m@example.com>", "m@example.com\r\nBcc: x@example.com", "\u202em@example.com", strings.Repeat("m", 250) + "@example.com"},
		"password":     {"", "short", "password123", "qwertyuiop", "1234567890", "aaaaaaaaaaaaaa", "new@example.com", strings.Repeat("x", 513)},
		"organisation": {"", "  ", "a\nb", "\u202eevil", strings.Repeat("x", 191)},
		"phone":        {"", "123", "call me", "+0123456789", "+7 495 123-45-67 ext 8"},
		"language":     {"xx"},
		"super_admin":  {true},
		"products":     {[]string{"ble"}},
	} {
		for _, value := range values {
			try := application("new@example.com")
			try[field] = value
			if p := c.Refuse(400, "POST", register, try); !strings.Contains(p.Detail, field) {
				t.Errorf("%s = %.40q: %s", field, value, p.Detail)
			}
		}
	}
	if got := w.mails("new@example.com"); len(got) != 0 {
		t.Errorf("mails were sent: %+v", got)
	}
}

// The customer's second way: the super-admin makes the organisation.
func TestRegistrationByTheSuperAdmin(t *testing.T) {
	w := start(t)
	admin := w.enter(shelltest.AdminEmail)
	var made accounthttp.Organisation
	admin.Want(201, "POST", orgs, body{"name": "Склад", "email": "ivan@example.com", "phone": "+74951234567", "products": []string{"ble"}}, &made)
	if made.Email != "ivan@example.com" || made.Pending || made.Users != 1 {
		t.Errorf("got %+v", made)
	}
	letter := w.mail("ivan@example.com", mail.FirstPassword)
	if letter.Products != "ble" || letter.Password != "" || !strings.HasPrefix(letter.Link, "/invitation#") {
		t.Fatalf("got %+v", letter)
	}
	c := w.Nobody()
	c.Refuse(400, "POST", password, body{"token": letter.token(), "password": "ivan@example.com"})
	c.Want(204, "POST", password, body{"token": letter.token(), "password": "a fine day outside", "name": "Иван"}, nil)
	var who shell.Me
	w.with("ivan@example.com", "a fine day outside").Want(200, "GET", me, nil, &who)
	if who.User.Name != "Иван" || who.User.Role != "owner" || fmt.Sprint(who.Products) != "[ble]" {
		t.Errorf("got %+v", who)
	}

	// Or with the password in the mail, as the customer's text has it.
	admin.Want(201, "POST", orgs, body{"name": "Офис", "email": "olga@example.com", "password": "mail"}, nil)
	letter = w.mail("olga@example.com", mail.FirstPassword)
	if len(letter.Password) < 20 {
		t.Fatalf("got %+v", letter)
	}
	w.with("olga@example.com", letter.Password).Want(200, "GET", me, nil, &who)
	if who.Activated {
		t.Errorf("activated without a product: %+v", who)
	}
	admin.Refuse(409, "POST", orgs, body{"name": "Другой", "email": "olga@example.com"})
	if n := w.count(`SELECT count(*) FROM organisation WHERE name = 'Другой'`); n != 0 {
		t.Error("an organisation was made without its Owner")
	}
}

func TestLinksEnd(t *testing.T) {
	w := start(t)
	o, owner := w.organisation("o")
	w.Account(o, "a@example.com", "viewer")
	c := w.Nobody()
	c.Want(202, "POST", register, application("new@example.com"), nil)
	c.Want(202, "POST", password+"/forgot", body{"email": "a@example.com"}, nil)
	owner.Want(201, "POST", users, body{"email": "invited@example.com", "role": "viewer"}, nil)
	confirm, reset, invitation := w.mail("new@example.com", mail.Confirm), w.mail("a@example.com", mail.Password), w.mail("invited@example.com", mail.Invitation)
	look := func(l letter, want int) {
		t.Helper()
		w.Nobody().Want(want, "POST", "/api/v1/auth/links", body{"token": l.token()}, nil)
	}
	w.pass(time.Hour - time.Second)
	look(reset, 200)
	w.pass(time.Second)
	look(reset, 404)
	c.Refuse(404, "POST", password, body{"token": reset.token(), "password": "a fine day outside"})
	w.pass(47*time.Hour - time.Second)
	look(confirm, 200)
	w.pass(time.Second)
	look(confirm, 404)
	c.Refuse(404, "POST", "/api/v1/auth/confirm", body{"token": confirm.token()})
	w.pass(5*24*time.Hour - time.Second)
	look(invitation, 200)
	w.pass(time.Second)
	look(invitation, 404)
}
