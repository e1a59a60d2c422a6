package http_test

import (
	"net/http"
	"strings"
	"testing"

	"mybeacon/engine/store/postgres/postgrestest"
	shell "mybeacon/http"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

// A socket's rights follow every way in which they can be given and taken.
func TestMayWatchFollowsRights(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	for name, c := range map[string]struct {
		role string
		sql  string // $1 is the account, $2 the location
		want schema.Kind
	}{
		"given to a viewer":     {"viewer", `INSERT INTO account_location (account, org, location) SELECT a.id, a.org, $2::uuid FROM account a WHERE a.id = $1`, 0},
		"read-only mode":        {"manager", `UPDATE account SET read_only = true WHERE id = $1 AND $2::uuid IS NOT NULL`, 0},
		"another mighty role":   {"manager", `UPDATE account SET role = 'owner' WHERE id = $1 AND $2::uuid IS NOT NULL`, 0},
		"role of no locations":  {"manager", `UPDATE account SET role = 'viewer' WHERE id = $1 AND $2::uuid IS NOT NULL`, schema.NotFound},
		"limited to no grant":   {"owner", `UPDATE account SET limited = true WHERE id = $1 AND $2::uuid IS NOT NULL`, schema.NotFound},
		"disabled":              {"owner", `UPDATE account SET disabled = true WHERE id = $1 AND $2::uuid IS NOT NULL`, schema.Unauthorized},
		"account deleted":       {"manager", `DELETE FROM account WHERE id = $1 AND $2::uuid IS NOT NULL`, schema.Unauthorized},
		"session ended":         {"manager", `DELETE FROM sessions s USING login l WHERE l.session = s.token AND l.account = $1 AND $2::uuid IS NOT NULL`, schema.Unauthorized},
		"log-in ended":          {"manager", `DELETE FROM login WHERE account = $1 AND $2::uuid IS NOT NULL`, schema.Unauthorized},
		"product switched off":  {"owner", `DELETE FROM organisation_product p USING account a WHERE a.id = $1 AND p.org = a.org AND $2::uuid IS NOT NULL`, schema.NotFound},
		"location deleted":      {"owner", `DELETE FROM location WHERE id = $2 AND $1::uuid IS NOT NULL`, schema.NotFound},
		"organisation deleted":  {"owner", `DELETE FROM organisation o USING account a WHERE a.id = $1 AND o.id = a.org AND $2::uuid IS NOT NULL`, schema.Unauthorized},
		"became a super-admin":  {"viewer", `UPDATE account SET super_admin = true, org = NULL WHERE id = $1 AND $2::uuid IS NOT NULL`, 0},
		"moved to another firm": {"owner", `WITH o AS (INSERT INTO organisation (id, name) VALUES ($2, 'elsewhere') RETURNING id) UPDATE account SET org = o.id FROM o WHERE account.id = $1`, schema.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			o := postgrestest.Organisation(t, s.DB, name, "ble")
			hall := postgrestest.Location(t, s.DB, o, "hall")
			a := s.Account(o, strings.ReplaceAll(name, " ", "-")+"@example.com", c.role)
			p := principal(t, s, a.Email)
			before := s.MayWatch(t.Context(), p, "ble", hall.ID)
			if (before == nil) != (c.role != "viewer") {
				t.Fatalf("before: %v", before)
			}
			if tag, err := s.DB.Pool().Exec(t.Context(), c.sql, a.ID, hall.ID); err != nil || tag.RowsAffected() != 1 {
				t.Fatalf("the change met %d rows, %v", tag.RowsAffected(), err)
			}
			after := s.MayWatch(t.Context(), p, "ble", hall.ID)
			if c.want == 0 && after != nil || c.want != 0 && schema.KindOf(after) != c.want {
				t.Errorf("got %v, want kind %v", after, c.want)
			}
		})
	}
}

// A grant of one location opens no other, and taking it back closes it.
func TestMayWatchGrantedLocations(t *testing.T) {
	s := shelltest.Start(t, nil, nil)
	o := postgrestest.Organisation(t, s.DB, "o", "ble")
	hall, yard := postgrestest.Location(t, s.DB, o, "hall"), postgrestest.Location(t, s.DB, o, "yard")
	a := s.Account(o, "maria@example.com", "operator")
	p := principal(t, s, a.Email)
	const give = `INSERT INTO account_location (account, org, location, write) VALUES ($1, $2, $3, true)`
	if _, err := s.DB.Pool().Exec(t.Context(), give, a.ID, o.ID, hall.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.MayWatch(t.Context(), p, "ble", hall.ID); err != nil {
		t.Errorf("given: %v", err)
	}
	if err := s.MayWatch(t.Context(), p, "ble", yard.ID); schema.KindOf(err) != schema.NotFound {
		t.Errorf("not given: %v", err)
	}
	if err := s.MayWatch(t.Context(), p, "temperature", hall.ID); schema.KindOf(err) != schema.NotFound {
		t.Errorf("another product: %v", err)
	}
	if _, err := s.DB.Pool().Exec(t.Context(), `DELETE FROM account_location`); err != nil {
		t.Fatal(err)
	}
	if err := s.MayWatch(t.Context(), p, "ble", hall.ID); schema.KindOf(err) != schema.NotFound {
		t.Errorf("taken back: %v", err)
	}
}

// principal returns who a session of the account is.
func principal(t *testing.T, s *shelltest.Server, email string) shell.Principal {
	t.Helper()
	cookie := s.Nobody().Want(200, "POST", login, credentials(email, shelltest.Password), nil).Cookies()[0]
	r, err := http.NewRequest(http.MethodGet, "/api/v1/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(cookie)
	p, _, err := s.Viewer(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
