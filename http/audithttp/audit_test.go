package audithttp_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
	"mybeacon/http/audithttp"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

const (
	log      = "/api/v1/client/audit"
	adminLog = "/api/v1/admin/audit"
)

func start(t *testing.T) *shelltest.Server {
	t.Helper()
	return shelltest.Start(t, nil, func(s *shelltest.Server) { audithttp.Register(s.Server, s.DB) })
}

type list struct {
	Items []audithttp.Entry
	Next  string
}

func write(t *testing.T, s *shelltest.Server, entries ...audit.Entry) {
	t.Helper()
	if err := s.DB.Append(t.Context(), postgres.AllOrganisations(), entries...); err != nil {
		t.Fatal(err)
	}
}

func renamed(o schema.OrganisationID, old, now string) audit.Entry {
	return audit.Entry{Organisation: o, Action: audit.Change, Object: audit.Object{Kind: "tag", Name: "#42"}, Fields: []audit.Field{{Name: "name", Old: old, New: now}}}
}

func read(t *testing.T, c *shelltest.Client, path string) list {
	t.Helper()
	var l list
	c.Want(200, "GET", path, nil, &l)
	return l
}

// Owners and Admins read their organisation's log, and nobody else anything of it.
func TestWhoReadsTheLog(t *testing.T) {
	s := start(t)
	mine, theirs := postgrestest.Organisation(t, s.DB, "mine"), postgrestest.Organisation(t, s.DB, "theirs")
	write(t, s, renamed(mine.ID, "a", "b"), renamed(theirs.ID, "c", "d"), renamed(schema.OrganisationID{}, "e", "f"))
	for _, role := range []string{"owner", "admin", "manager", "operator", "viewer"} {
		s.Account(mine, role+"@mine.example.com", role)
		c := s.Login(role + "@mine.example.com")
		c.Refuse(403, "GET", adminLog, nil)
		c.Refuse(403, "GET", adminLog+"/export", nil)
		c.Refuse(403, "POST", adminLog+"/verify", nil)
		if role != "owner" && role != "admin" {
			c.Refuse(403, "GET", log, nil)
			c.Refuse(403, "GET", log+"/export", nil)
			continue
		}
		if role == "admin" {
			limit := func(limited bool) {
				if _, err := s.DB.Pool().Exec(t.Context(), "UPDATE account SET limited = $1 WHERE email = 'admin@mine.example.com'", limited); err != nil {
					t.Fatal(err)
				}
			}
			limit(true) // the log tells of all locations
			c.Refuse(403, "GET", log, nil)
			c.Refuse(403, "GET", log+"/export", nil)
			limit(false)
		}
		for _, e := range read(t, c, log).Items {
			if e.OrganisationID != mine.ID {
				t.Errorf("a %s reads an entry of %q", role, e.OrganisationName)
			}
		}
		c.Refuse(404, "GET", log+"?organisation_id="+theirs.ID.String(), nil)
		c.Refuse(404, "GET", log+"/export?organisation_id="+theirs.ID.String(), nil)
		if text := string(c.Want(200, "GET", log+"/export", nil, nil).Bytes); strings.Contains(text, `"c"`) || !strings.Contains(text, `"a"`) {
			t.Errorf("a %s exports\n%s", role, text)
		}
	}
	admin := s.Login(shelltest.AdminEmail)
	of := func(path string) string {
		var names strings.Builder
		for _, e := range read(t, admin, path).Items {
			if e.Action == audit.Change {
				names.WriteString(e.OrganisationName + ":" + e.Fields[0].New + " ")
			}
		}
		return names.String()
	}
	for path, want := range map[string]string{
		adminLog:                  ":f theirs:d mine:b ",
		adminLog + "?system=true": ":f ",
		adminLog + "?organisation_id=" + theirs.ID.String(): "theirs:d ",
	} {
		if got := of(path); len(strings.Fields(got)) != len(strings.Fields(want)) || !sameWords(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	s.Nobody().Refuse(401, "GET", log, nil)
}

func sameWords(a, b string) bool {
	for word := range strings.FieldsSeq(a) {
		if !strings.Contains(" "+b, " "+word+" ") {
			return false
		}
	}
	return true
}

func TestListFiltersAndPages(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "mine")
	s.Account(o, "owner@example.com", "owner")
	for i := range 5 {
		write(t, s, renamed(o.ID, fmt.Sprint("old", i), fmt.Sprint("Велосипед ", i)))
	}
	c := s.Login("owner@example.com")
	f := func(want int, query string) list {
		t.Helper()
		l := read(t, c, log+"?"+query)
		if len(l.Items) != want {
			t.Errorf("%s: %d entries, want %d", query, len(l.Items), want)
		}
		return l
	}
	first := f(2, "action=change&limit=2")
	f(2, "action=change&limit=2&cursor="+url.QueryEscape(first.Next))
	f(1, "query="+url.QueryEscape("велосипед 3"))
	f(0, "user=nobody@example.com")
	f(0, "user="+schema.NewID[schema.UserID]().String())
	f(5, "action=change&from=2020-01-01T00:00:00Z")
	f(0, "action=change&to=2020-01-01T00:00:00Z")
	c.Refuse(400, "GET", log+"?action=dance", nil)
	c.Refuse(400, "GET", log+"?from=yesterday", nil)
	c.Refuse(400, "GET", log+"?usr=x", nil)
	if e := first.Items[0]; e.At.Before(first.Items[1].At) || e.Object.Name != "#42" || e.Fields[0].Old != "old4" || e.User != "" {
		t.Errorf("%+v", e)
	}
}

// An export is the log as files, and is written down itself.
func TestExport(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "mine")
	s.Account(o, "owner@example.com", "owner")
	write(t, s, renamed(o.ID, "Велосипед №5", "=cmd()"))
	c := s.Login("owner@example.com")
	text := c.Want(200, "GET", log+"/export?format=txt&from=2024-01-01T00:00:00Z", nil, nil)
	lines := strings.Split(strings.TrimSuffix(string(text.Bytes), "\n"), "\n")
	if got := lines[len(lines)-1]; !strings.HasSuffix(got, " | owner@example.com | Экспорт | Журнал, 2024-01-01 - …, txt | IP: 127.0.0.1") {
		t.Errorf("the export's own line is %s", got)
	}
	if !strings.Contains(string(text.Bytes), ` | система | Изменение | Метка #42: "Велосипед №5" → "=cmd()" | IP: -`) {
		t.Errorf("%s", text.Bytes)
	}
	answer := c.Want(200, "GET", log+"/export?action=change&bom=true", nil, nil)
	if answer.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(answer.Header.Get("Content-Disposition"), "audit.csv") {
		t.Errorf("%v", answer.Header)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(answer.Bytes), "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][3] != "Tag #42" || rows[1][4] != `"Велосипед №5" → "=cmd()"` {
		t.Errorf("%q %v", rows, err)
	}
	if l := read(t, c, log+"?action=export"); len(l.Items) != 2 {
		t.Errorf("two exports are %d entries", len(l.Items))
	}
	c.Refuse(400, "GET", log+"/export?format=xls", nil)
}

// What is acknowledged is stored; a closing page's text is taken like JSON, unless no
// browser says which page it is from.
func TestPageViews(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "mine")
	s.Account(o, "viewer@example.com", "viewer")
	s.Account(o, "owner@example.com", "owner")
	viewer, owner := s.Login("viewer@example.com"), s.Login("owner@example.com")
	body := func(pages ...string) []byte {
		views := []string{}
		for _, p := range pages {
			views = append(views, fmt.Sprintf(`{"page":%q,"title":"Title of %s","at":%q}`, p, p, time.Now().UTC().Format(time.RFC3339)))
		}
		return []byte(`{"views":[` + strings.Join(views, ",") + `]}`)
	}
	send := func(want int, b []byte, header ...string) {
		t.Helper()
		if r := viewer.Do("POST", log+"/pages", b, header...); r.StatusCode != want {
			t.Errorf("%s %v: %d %s", b, header, r.StatusCode, r.Bytes)
		}
	}
	const text = "text/plain;charset=UTF-8"
	send(204, body("/devices", "/ble"))
	send(204, body("/audit"), "Content-Type", text, "Origin", s.URL)
	send(204, body("/old"), "Content-Type", text, "Sec-Fetch-Site", "same-origin")
	send(415, body("/from-nowhere"), "Content-Type", text)
	send(403, body("/evil"), "Content-Type", text, "Origin", "https://evil.example.com")
	send(403, body("/evil"), "Content-Type", text, "Sec-Fetch-Site", "cross-site")
	send(400, []byte(`{"views":[]}`))
	send(400, body("javascript:"))
	send(400, body(strings.Split(strings.Repeat("/x ", 101), " ")...))
	var opened []string
	for _, e := range read(t, owner, log+"?action=view").Items {
		if e.User != "viewer@example.com" || e.Object.Kind != "page" || e.Address != "127.0.0.1" || e.Object.Name != "Title of "+e.Object.ID {
			t.Errorf("%+v", e)
		}
		opened = append(opened, e.Object.ID)
	}
	if strings.Join(opened, " ") != "/old /audit /ble /devices" {
		t.Errorf("opened %v", opened)
	}
	if r := s.Nobody().Do("POST", log+"/pages", body("/x")); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody: %d", r.StatusCode)
	}
}

// Nobody fills the log with page views; what is refused is not stored in part, and
// others are not held up.
func TestPageViewsAreBounded(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "mine")
	s.Account(o, "viewer@example.com", "viewer")
	s.Account(o, "owner@example.com", "owner")
	views := make([]string, 90)
	for i := range views {
		views[i] = fmt.Sprintf(`{"page":"/p","at":%q}`, time.Now().UTC().Format(time.RFC3339))
	}
	body := []byte(`{"views":[` + strings.Join(views, ",") + `]}`)
	viewer, owner := s.Login("viewer@example.com"), s.Login("owner@example.com")
	for range 3 {
		if r := viewer.Do("POST", log+"/pages", body); r.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", r.StatusCode, r.Bytes)
		}
	}
	if r := viewer.Do("POST", log+"/pages", body); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("the 360th at once: %d %s", r.StatusCode, r.Bytes)
	}
	if r := owner.Do("POST", log+"/pages", body); r.StatusCode != http.StatusNoContent {
		t.Errorf("somebody else: %d %s", r.StatusCode, r.Bytes)
	}
	stored := 0
	for cursor := ""; ; {
		page := read(t, owner, log+"?action=view&limit=200&user=viewer@example.com&cursor="+cursor)
		stored += len(page.Items)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if stored != 270 {
		t.Errorf("%d page views are stored, want 270", stored)
	}
}

func TestVerifyRoute(t *testing.T) {
	s := start(t)
	o := postgrestest.Organisation(t, s.DB, "mine")
	write(t, s, renamed(o.ID, "a", "b"), renamed(o.ID, "b", "c"))
	admin := s.Login(shelltest.AdminEmail)
	var got struct {
		Entries, Chains int64
		Broken          []audit.Broken
	}
	admin.Want(200, "POST", adminLog+"/verify", nil, &got)
	if got.Entries < 2 || got.Chains < 1 || len(got.Broken) != 0 {
		t.Errorf("%+v", got)
	}
	owner, err := s.DB.Owner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if _, err := owner.Exec(t.Context(), `UPDATE audit_entry SET body = replace(body, '"b"', '"x"') WHERE org = $1`, o.ID); err != nil {
		t.Fatal(err)
	}
	admin.Want(200, "POST", adminLog+"/verify", nil, &got)
	if len(got.Broken) != 2 || got.Broken[0].Organisation != o.ID || got.Broken[0].Fault != audit.Changed {
		t.Errorf("%+v", got)
	}
}
