package http_test

import (
	"slices"
	"strings"
	"testing"

	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

// nobodys are operations that show nothing of an organisation, or only of the one that
// was switched into.
var nobodys = []string{"list-export-datasets", "list-rights", "get-own-organisation", "count-alerts"}

// What a super-admin looks at without having switched into the organisation stands in
// that organisation's log, whichever operation of the document shows it.
func TestLooksOfSuperAdmins(t *testing.T) {
	warehouse := openWarehouse(t)
	s := startOver(t, warehouse)
	d, _ := readDocument(t, s)
	mine, owner := ownerOf(t, s, "mine")
	hall := settle(t, s, warehouse, mine, owner, 1)
	admin := s.Login(shelltest.AdminEmail)
	tried := 0
	for _, r := range d.routes() {
		if r.method != "GET" || strings.HasPrefix(r.path, "/api/v1/auth/") || slices.Contains(nobodys, r.OperationID) {
			continue
		}
		tried++
		c := ownCall(t, d, r, hall)
		before := noted(t, s, mine.ID)
		got := send(admin, "GET", c.address(), nil)
		if got.StatusCode == 400 && slices.Contains(r.Parameters, parameter{Name: "organisation_id", In: "query"}) {
			c.query.Set("organisation_id", mine.ID.String())
			got = send(admin, "GET", c.address(), nil)
		} else if strings.HasPrefix(r.OperationID, "export-") {
			t.Errorf("GET %s exports what is nobody's own: %d, want 400 without organisation_id", c.address(), got.StatusCode)
		}
		switch {
		case got.StatusCode == 403: // he must switch into it first, which stands in its log
		case got.StatusCode >= 400:
			t.Errorf("GET %s for a super-admin: %d %s", c.address(), got.StatusCode, got.Bytes)
		case noted(t, s, mine.ID) == before:
			t.Errorf("GET %s (%s) left nothing in the organisation's log: give its output a field OrganisationID, or call Saw", c.address(), r.OperationID)
		}
	}
	t.Logf("%d operations were looked at", tried)
	if tried < 15 {
		t.Errorf("only %d operations were looked at: the document was not read rightly", tried)
	}
}

// noted counts the entries of what was looked at and exported of the organisation.
func noted(t *testing.T, s *shelltest.Server, o schema.OrganisationID) (n int) {
	t.Helper()
	const count = `SELECT count(*) FROM audit_entry WHERE org = $1 AND action IN ('view', 'export')`
	if err := s.DB.Pool().QueryRow(t.Context(), count, o).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
