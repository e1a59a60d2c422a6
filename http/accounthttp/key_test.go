package accounthttp_test

import (
	"strings"
	"testing"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/http/accounthttp"
	"mybeacon/http/shelltest"
)

const (
	keys      = "/api/v1/client/keys"
	acting    = "/api/v1/auth/acting"
	locations = "/api/v1/client/locations"
)

func TestKeys(t *testing.T) {
	w := start(t)
	o, owner := w.organisation("o")
	hall := postgrestest.Location(t, w.DB, o, "hall")
	postgrestest.Location(t, w.DB, o, "yard")
	var made accounthttp.Key
	owner.Want(201, "POST", keys, body{"name": "analysts", "actions": []string{"view", "view"}, "locations": []body{{"id": hall.ID, "write": false}}, "expires_in_days": 7}, &made)
	if !strings.HasPrefix(made.Key, "mbk_") || !strings.HasPrefix(made.Key, made.Prefix) || len(made.Actions) != 1 || !made.Limited || made.CreatedBy != "owner@o.example.com" {
		t.Errorf("got %+v", made)
	}
	c := w.Nobody()
	c.Bearer = made.Key
	var found list[struct{ Name string }]
	c.Want(200, "GET", locations, nil, &found)
	if len(found.Items) != 1 || found.Items[0].Name != "hall" {
		t.Errorf("the key sees %+v", found)
	}
	c.Refuse(403, "POST", locations, body{"name": "x"})
	c.Refuse(403, "GET", users, nil)
	c.Refuse(403, "GET", me, nil) // a key is no person
	c.Refuse(403, "GET", "/api/v1/auth/sessions", nil)
	c.Refuse(403, "POST", "/api/v1/auth/tokens", body{"name": "t"})
	c.Refuse(403, "GET", orgs, nil)
	c.Refuse(403, "PUT", acting, body{"organisation_id": o.ID, "reason": "curious"})
	c.Want(201, "POST", "/api/v1/live/ticket", nil, nil)

	var listed list[accounthttp.Key]
	owner.Want(200, "GET", keys, nil, &listed)
	if len(listed.Items) != 1 || listed.Items[0].Key != "" || listed.Items[0].LastUsed == nil || len(listed.Items[0].Locations) != 1 {
		t.Errorf("got %+v", listed)
	}
	_, stranger := w.organisation("other")
	stranger.Refuse(404, "DELETE", keys+"/"+made.ID.String(), nil)
	owner.Want(204, "DELETE", keys+"/"+made.ID.String(), nil, nil)
	c.Refuse(401, "GET", locations, nil)

	// A key of people makes neither keys nor people mightier than itself.
	owner.Want(201, "POST", keys, body{"name": "hr", "actions": []string{"manage_users", "view"}}, &made)
	c.Bearer = made.Key
	c.Refuse(403, "POST", keys, body{"name": "k", "actions": []string{"view"}})
	c.Refuse(403, "POST", users, body{"email": "x@example.com", "role": "owner"})
	c.Refuse(403, "POST", users, body{"email": "x@example.com", "role": "manager"})
	c.Want(201, "POST", users, body{"email": "x@example.com", "role": "viewer"}, nil)
	c.Refuse(403, "DELETE", users+"/"+w.person("owner@o.example.com").String(), nil)
	for _, bad := range []body{
		{"name": "k", "actions": []string{}}, {"name": "k", "actions": []string{"administer"}}, {"name": "k", "actions": []string{"open_terminal"}},
		{"name": " ", "actions": []string{"view"}}, {"name": "k", "actions": []string{"view"}, "expires_in_days": 366}, {"name": "k"},
	} {
		owner.Refuse(400, "POST", keys, bad)
	}
}

// A key that has expired opens nothing; nor does one that was cut.
func TestKeyExpires(t *testing.T) {
	w := start(t)
	_, owner := w.organisation("o")
	w.pass(-48 * time.Hour) // a key of a day, made two days ago
	var made accounthttp.Key
	owner.Want(201, "POST", keys, body{"name": "old", "actions": []string{"view"}, "expires_in_days": 1}, nil)
	w.pass(48 * time.Hour)
	owner.Want(201, "POST", keys, body{"name": "new", "actions": []string{"view"}, "expires_in_days": 1}, &made)
	c := w.Nobody()
	for _, bad := range []string{made.Key[:len(made.Key)-1], made.Key + "x", "mbk_", "mbt_" + made.Key[4:], ""} {
		if r := c.Do("GET", locations, nil, "Authorization", "Bearer "+bad); r.StatusCode != 401 {
			t.Errorf("%q got %d", bad, r.StatusCode)
		}
	}
	var listed list[accounthttp.Key]
	owner.Want(200, "GET", keys, nil, &listed)
	if len(listed.Items) != 1 || listed.Items[0].Name != "new" {
		t.Errorf("got %+v", listed)
	}
}

// A super-admin acts inside an organisation with a reason, with this session only, and
// the organisation reads it in its log.
func TestActing(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	other, _ := w.organisation("other")
	admin, second := w.enter(shelltest.AdminEmail), w.enter(shelltest.AdminEmail)
	for _, reason := range []string{"", "x", "  x  ", "a\nb\nc", strings.Repeat("x", 501)} {
		admin.Refuse(400, "PUT", acting, body{"organisation_id": o.ID, "reason": reason})
	}
	admin.Refuse(404, "PUT", acting, body{"organisation_id": w.person(shelltest.AdminEmail), "reason": "support call"})
	var now shell.Me
	admin.Want(200, "PUT", acting, body{"organisation_id": o.ID, "reason": "support call"}, &now)
	if now.Acting == nil || now.Acting.OrganisationID != o.ID || now.Acting.Reason != "support call" || now.Organisation == nil || now.Organisation.Name != "o" {
		t.Fatalf("got %+v", now)
	}
	admin.Want(201, "POST", locations, body{"name": "hall"}, nil)
	var key accounthttp.Key
	admin.Want(201, "POST", keys, body{"name": "for the call", "actions": []string{"view"}, "expires_in_days": 365}, &key)
	if left := key.ExpiresAt.Sub(now.Acting.Since); left > postgres.ActingLife {
		t.Errorf("a key that was made while acting lives for %v", left)
	}
	admin.Want(201, "POST", users, body{"email": "x@example.com", "role": "owner"}, nil)
	if n := w.count(`SELECT count(*) FROM location WHERE org = $1`, o.ID); n != 1 {
		t.Errorf("%d locations", n)
	}
	var apart shell.Me
	second.Want(200, "GET", me, nil, &apart)
	if apart.Acting != nil {
		t.Errorf("another session acts too: %+v", apart.Acting)
	}
	admin.Want(200, "PUT", acting, body{"organisation_id": other.ID, "reason": "the next call"}, nil)
	admin.Want(204, "DELETE", acting, nil, nil)
	admin.Want(204, "DELETE", acting, nil, nil)
	apart = shell.Me{}
	admin.Want(200, "GET", me, nil, &apart)
	if apart.Acting != nil || apart.Organisation != nil {
		t.Errorf("got %+v", apart)
	}
	entries := func(id any) int {
		return w.count(`SELECT count(*) FROM audit_entry WHERE org = $1 AND action = 'switch' AND body LIKE '%call%'`, id)
	}
	if entries(o.ID) != 2 || entries(other.ID) != 2 {
		t.Errorf("the logs have %d and %d entries, want 2 each", entries(o.ID), entries(other.ID))
	}
	// Eight hours later, and with the session, it ends by itself.
	admin.Want(200, "PUT", acting, body{"organisation_id": o.ID, "reason": "support call"}, nil)
	w.count(`WITH old AS (UPDATE login SET acting_since = acting_since - interval '8 hours' RETURNING 1) SELECT count(*) FROM old`)
	apart = shell.Me{}
	admin.Want(200, "GET", me, nil, &apart)
	if apart.Acting != nil {
		t.Errorf("still acting after eight hours: %+v", apart.Acting)
	}
}

func TestAdminUsers(t *testing.T) {
	w := start(t)
	o, owner := w.organisation("o")
	a := w.Account(o, "a@example.com", "viewer")
	admin, c := w.enter(shelltest.AdminEmail), w.enter("a@example.com")
	var found list[accounthttp.Person]
	admin.Want(200, "GET", "/api/v1/admin/users?query=A@EXAMPLE", nil, &found)
	if len(found.Items) != 1 || found.Items[0].ID != a.ID || found.Items[0].Organisation != "o" {
		t.Errorf("got %+v", found)
	}
	admin.Want(200, "GET", orgs+"/"+o.ID.String()+"/users", nil, &found)
	if len(found.Items) != 2 {
		t.Errorf("got %+v", found)
	}
	one := "/api/v1/admin/users/" + a.ID.String()
	admin.Want(202, "POST", one+"/reset", nil, nil)
	w.mail("a@example.com", "password")
	admin.Want(200, "PATCH", one, body{"disabled": true}, nil)
	c.Refuse(401, "GET", me, nil)
	admin.Refuse(409, "POST", one+"/reset", nil)
	admin.Refuse(400, "PATCH", one, body{"role": "owner"})
	admin.Refuse(409, "PATCH", "/api/v1/admin/users/"+w.person(shelltest.AdminEmail).String(), body{"disabled": true})
	owner.Refuse(403, "PATCH", one, body{"disabled": false})
	var products []accounthttp.Product
	admin.Want(200, "GET", "/api/v1/admin/products", nil, &products)
	if len(products) != 2 {
		t.Errorf("got %+v", products)
	}
	// A product that is switched off is gone at the next request.
	admin.Want(200, "PATCH", orgs+"/"+o.ID.String(), body{"products": []string{}}, nil)
	var who shell.Me
	owner.Want(200, "GET", me, nil, &who)
	if who.Activated || len(who.Products) != 0 {
		t.Errorf("got %+v", who)
	}
}
