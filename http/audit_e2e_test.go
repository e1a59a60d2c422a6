package http_test

import (
	"net/http"
	"net/url"
	"testing"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/shelltest"
)

// looks returns what was looked at in the organisation, the newest first.
func looks(t *testing.T, s *shelltest.Server, o postgres.Organisation) []postgres.AuditLine {
	t.Helper()
	lines, _, err := s.DB.AuditLog(t.Context(), postgres.In(o.ID), postgres.AuditFilter{Action: audit.View}, postgres.Page{})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// A super-admin who looks at an organisation's data without having switched into it
// is in its log, and in no other's; its own people's lists are not.
func TestSuperAdminsLooksAreWrittenDown(t *testing.T) {
	s := startWhole(t)
	mine, theirs := postgrestest.Organisation(t, s.DB, "mine", "ble"), postgrestest.Organisation(t, s.DB, "theirs", "ble")
	postgrestest.Location(t, s.DB, mine, "hall")
	s.Account(mine, "owner@example.com", "owner")
	s.Login("owner@example.com").Want(200, "GET", "/api/v1/client/locations", nil, nil)
	if got := looks(t, s, mine); len(got) != 0 {
		t.Errorf("an owner's list is %+v", got)
	}
	admin := s.Login(shelltest.AdminEmail)
	admin.Want(200, "GET", "/api/v1/client/locations", nil, nil)
	got := looks(t, s, mine)
	if len(got) != 1 || got[0].By.Email != shelltest.AdminEmail || got[0].Object.ID != "list-locations" || got[0].From != "127.0.0.1" {
		t.Errorf("%+v", got)
	}
	if got := looks(t, s, theirs); len(got) != 0 {
		t.Errorf("nothing of theirs was seen, and their log has %+v", got)
	}
}

// Opening a live map is one entry, however often the socket asks again.
func TestLiveMapsAreWrittenDown(t *testing.T) {
	s := startWhole(t)
	o := postgrestest.Organisation(t, s.DB, "mine", "ble")
	hall := postgrestest.Location(t, s.DB, o, "hall")
	s.Account(o, "owner@example.com", "owner")
	c := s.Login("owner@example.com")
	address, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.7:4711"
	for _, cookie := range c.HTTP.Jar.Cookies(address) {
		r.AddCookie(cookie)
	}
	p, _, err := s.Viewer(r)
	if err != nil {
		t.Fatal(err)
	}
	may := s.Watching(p, "ble")
	for range 3 {
		if err := may(t.Context(), hall.ID); err != nil {
			t.Fatal(err)
		}
		s.RightsChanged()
	}
	got := looks(t, s, o)
	if len(got) != 1 || got[0].Object.Name != "hall" || got[0].By.Email != "owner@example.com" || got[0].From != "192.0.2.7" {
		t.Errorf("%+v", got)
	}
}
