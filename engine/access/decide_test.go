package access_test

import (
	"fmt"
	"slices"
	"testing"

	"mybeacon/engine/access"
	"mybeacon/schema"
)

// all are all actions there are.
func all() []access.Action {
	return append(access.Actions(), access.OpenTerminal, access.Administer)
}

const (
	forbidden = access.Forbidden
	hidden    = access.Hidden
	allowed   = access.Allowed
)

func decides(t *testing.T, what string, p access.Principal, a access.Action, o access.Object, want access.Verdict) {
	t.Helper()
	got := access.Decide(p, a, o)
	if got.Verdict != want {
		t.Errorf("%s, %s: %+v, want %d", what, a, got, want)
	}
	if (got.Reason == "") != (got.Verdict == access.Allowed) {
		t.Errorf("%s, %s: a refusal needs a reason and nothing else does: %+v", what, a, got)
	}
}

// Nobody may nothing.
func TestNobody(t *testing.T) {
	for _, a := range all() {
		for _, o := range []access.Object{{}, inHall} {
			decides(t, "the zero principal", access.Principal{}, a, o, forbidden)
			decides(t, "a role without a person", access.Principal{Role: access.Owner, Organisation: firm}, a, o, forbidden)
			decides(t, "a person without an organisation", access.Principal{User: schema.NewID[schema.UserID](), Role: access.Owner}, a, o, forbidden)
			p := member("landlord")
			decides(t, "an unknown role", p, a, o, forbidden)
		}
	}
}

// Read-only mode takes every change from every role and leaves what only looks.
func TestReadOnlyMode(t *testing.T) {
	looks := []access.Action{access.View, access.Export, access.ReadAudit}
	for _, role := range access.Roles() {
		for _, a := range all() {
			p := member(role)
			want := access.Decide(p, a, inHall).Verdict
			if !slices.Contains(looks, a) {
				want = forbidden
			}
			p.ReadOnly = true
			decides(t, "read-only "+string(role), p, a, inHall, want)
		}
	}
}

// Locations: which are seen, and which are changed.
func TestLocations(t *testing.T) {
	everywhere := []access.Role{access.Owner, access.Admin, access.Manager}
	inYard := access.Object{Organisation: firm, Location: yard}
	unplaced := access.Object{Organisation: firm, Unplaced: true}
	for _, role := range access.Roles() {
		byRole, limited, looking := member(role), member(role), member(role)
		limited.Limited = true
		looking.Limited, looking.Grants = true, []access.Grant{{Location: hall}}
		none := member(role)
		none.Limited, none.Grants = true, nil

		want := hidden
		if slices.Contains(everywhere, role) {
			want = allowed
		}
		decides(t, string(role)+" by role", byRole, access.View, inYard, want)
		decides(t, string(role)+" by role", byRole, access.View, unplaced, want)
		decides(t, string(role)+" with the hall", limited, access.View, inHall, allowed)
		decides(t, string(role)+" with the hall", limited, access.View, inYard, hidden)
		decides(t, string(role)+" with the hall", limited, access.View, unplaced, hidden)
		decides(t, string(role)+" with the hall", limited, access.View, access.Object{Organisation: firm}, allowed)
		decides(t, string(role)+" who looks at the hall", looking, access.View, inHall, allowed)
		decides(t, string(role)+" who looks at the hall", looking, access.EditPlans, inHall, forbidden)
		decides(t, string(role)+" who looks at the hall", looking, access.EditPlans, inYard, hidden)
		decides(t, string(role)+" without locations", none, access.View, inHall, hidden)
	}
}

// What is another organisation's does not exist, whatever one may at home.
func TestForeignOrganisation(t *testing.T) {
	for _, role := range access.Roles() {
		for _, a := range all() {
			decides(t, string(role), member(role), a, access.Object{Organisation: other}, hidden)
			decides(t, string(role), member(role), a, access.Object{Organisation: other, Location: hall, Product: "ble"}, hidden)
		}
	}
}

// What is a product's does not exist where that is off.
func TestProductsOff(t *testing.T) {
	for _, role := range access.Roles() {
		for _, a := range all() {
			p := member(role)
			decides(t, string(role)+", another product", p, a, access.Object{Product: "wifi"}, hidden)
			p.Products = nil
			decides(t, string(role)+", no product", p, a, inHall, hidden)
		}
		decides(t, string(role)+", the core", access.Principal{User: member(role).User, Organisation: firm, Role: role}, access.View, access.Object{Organisation: firm}, allowed)
	}
}

// A super-admin looks everywhere, runs the system, and changes nothing of an
// organisation before he has switched into it.
func TestSuperAdmin(t *testing.T) {
	looks := access.Principal{User: schema.NewID[schema.UserID](), SuperAdmin: true}
	acts := looks
	acts.Acting, acts.Organisation = true, firm
	always := []access.Action{access.View, access.Export, access.ReadAudit, access.OpenTerminal, access.Administer}
	for _, a := range all() {
		without, elsewhere := forbidden, forbidden
		if slices.Contains(always, a) {
			without, elsewhere = allowed, allowed
		}
		decides(t, "without the switch", looks, a, inHall, without)
		decides(t, "with the switch", acts, a, inHall, allowed)
		decides(t, "with the switch into another", acts, a, access.Object{Organisation: other}, elsewhere)
		readOnly := acts
		readOnly.ReadOnly = true
		want := allowed
		if a.Changes() {
			want = forbidden
		}
		decides(t, "in read-only mode", readOnly, a, inHall, want)
	}
}

// A key may what it was made for, and never more than its role, organisation and
// locations allow.
func TestKeys(t *testing.T) {
	for _, only := range all() {
		for _, a := range all() {
			for _, role := range access.Roles() {
				p := member(role)
				want := access.Decide(p, a, inHall).Verdict
				if a != only {
					want = forbidden
				}
				p.User, p.Key, p.Only = schema.UserID{}, true, []access.Action{only}
				decides(t, fmt.Sprintf("a key of %s for %s", role, only), p, a, inHall, want)
				if a == only {
					decides(t, "a key elsewhere", p, a, access.Object{Organisation: other}, hidden)
				}
			}
		}
	}
	empty := member(access.Owner)
	empty.Key = true
	for _, a := range all() {
		decides(t, "a key for nothing", empty, a, inHall, forbidden)
	}
}

// Only what looks is no change: a new action is one until somebody says otherwise.
func TestChanges(t *testing.T) {
	for _, a := range all() {
		if looks := slices.Contains([]access.Action{access.View, access.Export, access.ReadAudit}, a); a.Changes() == looks {
			t.Errorf("%s: changes %v", a, a.Changes())
		}
	}
	if !access.Action("fly").Changes() {
		t.Error("an unknown action is taken for one that only looks")
	}
}
