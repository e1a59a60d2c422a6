package access_test

import (
	"slices"
	"strings"
	"testing"

	"mybeacon/engine/access"
	"mybeacon/schema"
)

// matrix is the customer's table. What it says is asked of Decide, cell by cell.
const matrix = `
action          | Owner | Admin | Manager | Operator | Viewer
view            | yes   | yes   | yes     | yes      | yes
export          | yes   | yes   | yes     | no       | no
device_settings | yes   | yes   | no      | yes      | no
manage_tags     | yes   | yes   | no      | yes      | no
manage_users    | yes   | no    | no      | no       | no
edit_plans      | yes   | yes   | no      | yes      | no
read_audit      | yes   | yes   | no      | no       | no
open_dashboard  | yes   | yes   | no      | yes      | no`

var (
	firm  = schema.NewID[schema.OrganisationID]()
	other = schema.NewID[schema.OrganisationID]()
	hall  = schema.NewID[schema.LocationID]()
	yard  = schema.NewID[schema.LocationID]()
)

// member returns somebody of the firm who has the role and the hall to change.
func member(role access.Role) access.Principal {
	return access.Principal{
		User: schema.NewID[schema.UserID](), Organisation: firm, Role: role, Products: []string{"ble"},
		Grants: []access.Grant{{Location: hall, Write: true}},
	}
}

var inHall = access.Object{Organisation: firm, Location: hall, Product: "ble"}

func cells(line string) []string {
	out := strings.Split(line, "|")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// The table is checked as a whole: every action, every role, nothing beside.
func TestMatrix(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(matrix), "\n")
	var actions []access.Action
	checked := 0
	checkedTable := []string{lines[0]}
	for _, line := range lines[1:] {
		row := cells(line)
		action := access.Action(row[0])
		actions = append(actions, action)
		found := []string{row[0]}
		for i, role := range access.Roles() {
			if title := cells(lines[0])[i+1]; !strings.EqualFold(title, string(role)) {
				t.Fatalf("the column %s is not the role %s", title, role)
			}
			got := "no"
			if access.Decide(member(role), action, inHall).Verdict == access.Allowed {
				got = "yes"
			}
			if got != row[i+1] {
				t.Errorf("%s by %s: %s, the table says %s", action, role, got, row[i+1])
			}
			found = append(found, got)
			checked++
		}
		checkedTable = append(checkedTable, format(found))
	}
	if checked != 40 || !slices.Equal(actions, access.Actions()) {
		t.Errorf("%d cells of %v were checked, want 40 of %v", checked, actions, access.Actions())
	}
	t.Logf("%d cells as checked:\n%s", checked, strings.Join(checkedTable, "\n"))
}

func format(row []string) string {
	widths := []int{15, 5, 5, 7, 8, 6}
	for i := range row {
		row[i] += strings.Repeat(" ", max(widths[i]-len(row[i]), 0))
	}
	return strings.TrimRight(strings.Join(row, " | "), " ")
}
