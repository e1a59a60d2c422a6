package corehttp_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/corehttp"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

const (
	locations = "/api/v1/client/locations"
	devices   = "/api/v1/client/devices"
)

// site is a product with one plan everywhere, on which one device hangs.
type site struct {
	hangs   schema.DeviceID
	online  map[schema.DeviceID]time.Time
	changes atomic.Int32
}

func (s *site) PlansOf(_ context.Context, _ postgres.Scope, ids []schema.LocationID) (map[schema.LocationID][]schema.PlanRef, error) {
	plans := map[schema.LocationID][]schema.PlanRef{}
	for _, id := range ids {
		plans[id] = []schema.PlanRef{{ID: schema.PlanID(id), Name: "ground", Level: 0}}
	}
	return plans, nil
}

func (s *site) MayMove(_ context.Context, _ postgres.Scope, id schema.DeviceID) error {
	if id == s.hangs {
		return schema.Errorf(schema.Conflict, "location_id", "the device hangs on a plan")
	}
	return nil
}

func (s *site) Online(id schema.DeviceID) (bool, time.Time) {
	at, ok := s.online[id]
	return ok, at
}

func start(t *testing.T) (*shelltest.Server, *site) {
	t.Helper()
	at := &site{online: map[schema.DeviceID]time.Time{}}
	s := shelltest.Start(t, nil, func(s *shelltest.Server) {
		corehttp.Register(s.Server, corehttp.Config{
			DB: s.DB, Online: at, Plans: at, Placed: at, Changed: func(context.Context) { at.changes.Add(1) },
		})
	})
	return s, at
}

type list[T any] struct {
	Items []T
	Next  string
}

func TestRoles(t *testing.T) {
	s, _ := start(t)
	o := postgrestest.Organisation(t, s.DB, "o")
	// An Operator changes the locations that he was given, and could not see a new one.
	for role, want := range map[string]int{"owner": 201, "admin": 201, "operator": 403, "manager": 403, "viewer": 403} {
		s.Account(o, role+"@o.example.com", role)
		c := s.Login(role + "@o.example.com")
		c.Want(200, "GET", locations, nil, nil)
		if r := c.Do("POST", locations, map[string]any{"name": role}); r.StatusCode != want {
			t.Errorf("%s: got %d, want %d", role, r.StatusCode, want)
		}
	}
}

func TestLocations(t *testing.T) {
	s, _ := start(t)
	o, other := postgrestest.Organisation(t, s.DB, "o"), postgrestest.Organisation(t, s.DB, "other")
	s.Account(o, "owner@example.com", "owner")
	admin, owner := s.Login(shelltest.AdminEmail), s.Login("owner@example.com")
	acting := s.Acting(other)
	admin.Refuse(403, "POST", locations, map[string]any{"name": "x", "organisation_id": o.ID})
	for _, elsewhere := range []schema.OrganisationID{o.ID, schema.NewID[schema.OrganisationID]()} {
		acting.Refuse(404, "POST", locations, map[string]any{"name": "x", "organisation_id": elsewhere})
	}
	owner.Refuse(404, "POST", locations, map[string]any{"name": "x", "organisation_id": other.ID})
	owner.Refuse(404, "GET", locations+"?organisation_id="+other.ID.String(), nil)
	owner.Refuse(400, "GET", locations+"?organisation_id=7", nil)

	var made corehttp.Location
	owner.Want(201, "POST", locations, map[string]any{"name": "hall", "address": "Ленина, 1"}, &made)
	if made.OrganisationID != o.ID || made.OrganisationName != "o" || made.Plans == nil || made.TimeZone != "UTC" {
		t.Errorf("got %+v", made)
	}
	owner.Refuse(409, "POST", locations, map[string]any{"name": "hall"})
	acting.Want(201, "POST", locations, map[string]any{"name": "hall", "organisation_id": other.ID}, nil)
	acting.Want(201, "POST", locations, map[string]any{"name": "yard"}, nil) // where he acts
	var found list[corehttp.Location]
	owner.Want(200, "GET", locations+"?name=hall", nil, &found)
	if len(found.Items) != 1 || found.Items[0].ID != made.ID || len(found.Items[0].Plans) != 1 || found.Items[0].Plans[0].Name != "ground" {
		t.Errorf("got %+v", found)
	}
	admin.Want(200, "GET", locations, nil, &found)
	if len(found.Items) != 3 {
		t.Errorf("the super-admin sees %d locations, want 3", len(found.Items))
	}
	acting.Want(200, "GET", locations, nil, &found)
	if len(found.Items) != 2 || found.Items[0].OrganisationID != other.ID {
		t.Errorf("where he acts the super-admin sees %+v, want 2 locations", found.Items)
	}
	acting.Want(200, "GET", locations+"?organisation_id="+o.ID.String(), nil, &found)
	if len(found.Items) != 1 || found.Items[0].OrganisationID != o.ID {
		t.Errorf("elsewhere he sees %+v, want 1 location", found.Items)
	}
}

func TestPagesAndLinks(t *testing.T) {
	s, _ := start(t)
	o := postgrestest.Organisation(t, s.DB, "o")
	for i := range 5 {
		postgrestest.Location(t, s.DB, o, fmt.Sprintf("hall & %d", i))
	}
	c := s.Login(shelltest.AdminEmail)
	var names []string
	for path := locations + "?limit=2&organisation_id=" + o.ID.String(); path != ""; {
		var page list[corehttp.Location]
		r := c.Want(200, "GET", path, nil, &page)
		for _, l := range page.Items {
			names = append(names, l.Name[len(l.Name)-1:])
		}
		link, rel, _ := strings.Cut(r.Header.Get("Link"), "; ")
		if (page.Next == "") != (link == "") || link != "" && rel != `rel="next"` {
			t.Fatalf("next %q, Link %q", page.Next, r.Header.Get("Link"))
		}
		path = strings.Trim(link, "<>")
	}
	if got := strings.Join(names, ""); got != "01234" {
		t.Errorf("walked %s", got)
	}
	for _, bad := range []string{"?limit=0", "?limit=201", "?limit=x", "?cursor=x", "?cursor=WyJhIiwiYiJd", "?order=name"} {
		c.Refuse(400, "GET", locations+bad, nil)
	}
}
