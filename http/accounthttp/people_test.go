package accounthttp_test

import (
	"fmt"
	"sync"
	"testing"

	"mybeacon/engine/mail"
	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/http/accounthttp"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

func TestInvitation(t *testing.T) {
	w := start(t)
	o, owner := w.organisation("o")
	hall, yard := postgrestest.Location(t, w.DB, o, "hall"), postgrestest.Location(t, w.DB, o, "yard")
	var made accounthttp.Person
	owner.Want(201, "POST", users, body{"email": "Oleg@example.com", "name": "Олег", "role": "operator", "locations": []body{{"id": hall.ID, "write": true}, {"id": yard.ID, "write": false}}}, &made)
	if !made.Invited || !made.Limited || len(made.Locations) != 2 || made.Locations[0].Name != "hall" || !made.Locations[0].Write || made.Locations[1].Write {
		t.Errorf("got %+v", made)
	}
	first := w.mail("oleg@example.com", mail.Invitation)
	owner.Want(202, "POST", users+"/"+made.ID.String()+"/invitation", nil, nil)
	again := w.mail("oleg@example.com", mail.Invitation)
	c := w.Nobody()
	c.Refuse(404, "POST", password, body{"token": first.token(), "password": "a fine day outside"})
	c.Want(204, "POST", password, body{"token": again.token(), "password": "a fine day outside"}, nil)
	oleg := w.with("oleg@example.com", "a fine day outside")
	var who shell.Me
	oleg.Want(200, "GET", me, nil, &who)
	if who.User.Name != "Олег" || who.Rights.Everywhere || len(who.Rights.Locations) != 2 {
		t.Errorf("got %+v", who)
	}
	owner.Refuse(409, "POST", users+"/"+made.ID.String()+"/invitation", nil)
	owner.Refuse(409, "POST", users, body{"email": "OLEG@example.com", "role": "viewer"})

	var found list[accounthttp.Person]
	owner.Want(200, "GET", users+"?query=ОЛЕГ&role=operator", nil, &found)
	var none list[accounthttp.Person]
	if owner.Want(200, "GET", users+"?query=%25&role=operator", nil, &none); len(none.Items) != 0 {
		t.Errorf("%% is a pattern: %+v", none)
	}
	if len(found.Items) != 1 || found.Items[0].Invited || found.Items[0].LastLogin == nil {
		t.Errorf("got %+v", found)
	}
	owner.Want(200, "PATCH", users+"/"+made.ID.String(), []byte(`{"locations": null, "role": "manager"}`), &made)
	if made.Limited || made.Role != "manager" || len(made.Locations) != 0 {
		t.Errorf("got %+v", made)
	}
	owner.Want(204, "DELETE", users+"/"+made.ID.String(), nil, nil)
	oleg.Refuse(401, "GET", me, nil)
}

// The table of rights that the console shows is the customer's.
func TestRightsTable(t *testing.T) {
	w := start(t)
	_, owner := w.organisation("o")
	var table struct {
		Actions []string
		Roles   []struct {
			Role    string
			Actions []string
		}
	}
	owner.Want(200, "GET", "/api/v1/client/rights", nil, &table)
	counts := map[string]int{"owner": 8, "admin": 7, "manager": 2, "operator": 5, "viewer": 1}
	if len(table.Actions) != 8 || len(table.Roles) != 5 {
		t.Fatalf("got %+v", table)
	}
	for _, row := range table.Roles {
		if len(row.Actions) != counts[row.Role] {
			t.Errorf("%s may %v", row.Role, row.Actions)
		}
	}
}

// Nobody but an Owner looks after people, by whatever route.
func TestOnlyOwnersManagePeople(t *testing.T) {
	w := start(t)
	o, _ := w.organisation("o")
	target := users + "/" + w.person("owner@o.example.com").String()
	for _, role := range []string{"admin", "manager", "operator", "viewer"} {
		a := w.Account(o, role+"@o.example.com", role)
		c := w.enter(role + "@o.example.com")
		c.Refuse(403, "GET", users, nil)
		c.Refuse(403, "POST", users, body{"email": "x@example.com", "role": "viewer"})
		c.Refuse(403, "PATCH", target, body{"role": "viewer"})
		c.Refuse(403, "PATCH", users+"/"+a.ID.String(), body{"role": "owner"})
		c.Refuse(403, "DELETE", target, nil)
		c.Refuse(403, "POST", target+"/invitation", nil)
		c.Refuse(403, "POST", "/api/v1/client/keys", body{"name": "k", "actions": []string{"manage_users"}})
		c.Refuse(403, "PATCH", "/api/v1/client/organisation", body{"name": "mine"})
		c.Refuse(403, "PUT", "/api/v1/auth/acting", body{"organisation_id": o.ID, "reason": "curious"})
		// A personal token has no more rights than its maker either.
		var token struct{ Token string }
		c.Want(201, "POST", "/api/v1/auth/tokens", body{"name": "t"}, &token)
		bearer := w.Nobody()
		bearer.Bearer = token.Token
		bearer.Refuse(403, "PATCH", target, body{"role": "viewer"})
	}
}

// What is no field of a request is refused, whatever it names.
func TestMassAssignment(t *testing.T) {
	w := start(t)
	o, owner := w.organisation("o")
	other, _ := w.organisation("other")
	target := users + "/" + w.Account(o, "a@example.com", "viewer").ID.String()
	for field, value := range map[string]any{
		"super_admin": true, "organisation_id": other.ID, "org": other.ID, "email": "b@example.com", "password": "x", "password_hash": "x",
		"wifi_enabled": true, "products": []string{"wifi"}, "confirmed_at": "2026-01-01T00:00:00Z", "id": schema.NewID[schema.UserID](), "limited": false,
	} {
		owner.Refuse(400, "PATCH", target, body{field: value})
		if field != "email" {
			owner.Refuse(400, "POST", users, body{"email": "new@example.com", "role": "viewer", field: value})
			owner.Refuse(400, "PATCH", me, body{field: value})
		}
		owner.Refuse(400, "PATCH", "/api/v1/client/organisation", body{field: value})
	}
	owner.Refuse(400, "PATCH", "/api/v1/client/organisation", body{"keep_days": 1})
	owner.Refuse(400, "PATCH", me, body{"role": "owner"})
	owner.Refuse(400, "PATCH", target, body{"locations": []body{{"id": schema.NewID[schema.LocationID](), "write": true, "org": other.ID}}})
	if n := w.count(`SELECT count(*) FROM account WHERE super_admin`); n != 1 {
		t.Errorf("%d super-admins", n)
	}
}

// Another organisation's people, locations and keys do not exist for an Owner.
func TestForeignPeople(t *testing.T) {
	w := start(t)
	_, owner := w.organisation("o")
	other, _ := w.organisation("other")
	foreign := postgrestest.Location(t, w.DB, other, "hall")
	target := users + "/" + w.person("owner@other.example.com").String()
	owner.Refuse(404, "PATCH", target, body{"role": "viewer"})
	owner.Refuse(404, "DELETE", target, nil)
	owner.Refuse(404, "POST", target+"/invitation", nil)
	owner.Refuse(404, "POST", users, body{"email": "x@example.com", "role": "viewer", "locations": []body{{"id": foreign.ID, "write": true}}})
	owner.Refuse(404, "POST", "/api/v1/client/keys", body{"name": "k", "actions": []string{"view"}, "locations": []body{{"id": foreign.ID, "write": false}}})
	owner.Refuse(403, "GET", "/api/v1/admin/users", nil)
	owner.Refuse(403, "GET", orgs+"/"+other.ID.String()+"/users", nil)
	if got := w.mails("x@example.com"); len(got) != 0 {
		t.Errorf("a refused invitation was sent: %+v", got)
	}
}

func TestLastOwnerStays(t *testing.T) {
	w := start(t)
	o, owner := w.organisation("o")
	hall := postgrestest.Location(t, w.DB, o, "hall")
	self := users + "/" + w.person("owner@o.example.com").String()
	// One who was only invited, one who is disabled and one who is limited lead nobody.
	owner.Want(201, "POST", users, body{"email": "invited@example.com", "role": "owner"}, nil)
	disabled := w.Account(o, "disabled@example.com", "owner")
	owner.Want(200, "PATCH", users+"/"+disabled.ID.String(), body{"disabled": true}, nil)
	refused := []body{{"role": "admin"}, {"read_only": true}, {"disabled": true}, {"locations": []body{{"id": hall.ID, "write": true}}}}
	for _, change := range refused {
		owner.Refuse(409, "PATCH", self, change)
	}
	owner.Refuse(409, "DELETE", self, nil)
	w.enter(shelltest.AdminEmail).Refuse(409, "PATCH", "/api/v1/admin/users/"+w.person("owner@o.example.com").String(), body{"disabled": true})

	second := w.Account(o, "second@example.com", "owner")
	for _, change := range refused {
		owner.Want(200, "PATCH", users+"/"+second.ID.String(), change, nil)
		owner.Want(200, "PATCH", users+"/"+second.ID.String(), []byte(`{"role": "owner", "read_only": false, "disabled": false, "locations": null}`), nil)
	}
	owner.Want(204, "DELETE", self, nil, nil)
	owner.Refuse(401, "GET", me, nil)
}

// Two Owners who demote each other at once: one of them stays.
func TestOwnersDemoteEachOther(t *testing.T) {
	w := start(t)
	o, first := w.organisation("o")
	w.Account(o, "second@example.com", "owner")
	second := w.enter("second@example.com")
	ids := []schema.UserID{w.person("second@example.com"), w.person("owner@o.example.com")}
	for round := range 20 {
		var wg sync.WaitGroup
		codes := make([]int, 2)
		for i, c := range []*shelltest.Client{first, second} {
			wg.Go(func() { codes[i] = c.Do("PATCH", users+"/"+ids[i].String(), body{"role": "admin"}).StatusCode })
		}
		wg.Wait()
		if n := w.count(`SELECT count(*) FROM account WHERE org = $1 AND role = 'owner'`, o.ID); n != 1 {
			t.Fatalf("round %d: %d Owners are left, answers %v", round, n, codes)
		}
		if fmt.Sprint(codes) != "[200 403]" && fmt.Sprint(codes) != "[403 200]" {
			t.Fatalf("round %d: answers %v", round, codes)
		}
		winner, loser := first, ids[0]
		if codes[1] == 200 {
			winner, loser = second, ids[1]
		}
		winner.Want(200, "PATCH", users+"/"+loser.String(), body{"role": "owner"}, nil)
	}
}

// An Owner who is limited to some locations gives no others, and does not free himself.
func TestLimitedOwner(t *testing.T) {
	w := start(t)
	o, owner := w.organisation("o")
	hall, yard := postgrestest.Location(t, w.DB, o, "hall"), postgrestest.Location(t, w.DB, o, "yard")
	deputy := w.Account(o, "deputy@example.com", "owner")
	target := users + "/" + deputy.ID.String()
	owner.Want(200, "PATCH", target, body{"locations": []body{{"id": hall.ID, "write": false}}}, nil)
	c := w.enter("deputy@example.com")
	c.Refuse(403, "PATCH", target, []byte(`{"locations": null}`))
	c.Refuse(403, "PATCH", target, body{"locations": []body{{"id": hall.ID, "write": true}}})
	c.Refuse(403, "PATCH", target, body{"locations": []body{{"id": yard.ID, "write": false}}})
	c.Refuse(403, "PATCH", users+"/"+w.person("owner@o.example.com").String(), body{"role": "viewer"})
	c.Refuse(403, "POST", users, body{"email": "x@example.com", "role": "owner"})
	c.Refuse(403, "POST", users, body{"email": "x@example.com", "role": "admin", "locations": []body{{"id": yard.ID, "write": false}}})
	c.Refuse(403, "POST", "/api/v1/client/keys", body{"name": "k", "actions": []string{"view"}})
	c.Want(201, "POST", users, body{"email": "x@example.com", "role": "viewer", "locations": []body{{"id": hall.ID, "write": false}}}, nil)
}
