package postgres_test

import (
	"fmt"
	"slices"
	"testing"

	"mybeacon/engine/store/postgres"
	"mybeacon/engine/store/postgres/postgrestest"
)

// What is typed is looked for as it is, in small and capital letters, in any one of
// the columns and not across two; numbers and addresses are understood.
func TestFind(t *testing.T) {
	db := postgrestest.Open(t)
	o, other := postgrestest.Organisation(t, db, "o"), postgrestest.Organisation(t, db, "other")
	for _, l := range []postgres.Location{{Name: "50% Halle_A", Address: "Лесная 5"}, {Name: "Yard", Address: "Back\\slash"}} {
		l.TimeZone = "UTC"
		if _, err := db.CreateLocation(t.Context(), o.ID, l); err != nil {
			t.Fatal(err)
		}
	}
	d, err := db.CreateDevice(t.Context(), o.ID, postgres.Device{MAC: "02:00:00:ab:cd:ef", Name: "Вход", Clock: postgres.ClockDevice}, "")
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string][]string{
		"50%": {"50% Halle_A"}, "%": {"50% Halle_A"}, "halle_a": {"50% Halle_A"}, "halle-a": nil, "_": {"50% Halle_A"}, "e_a лесная": nil,
		"ЛЕСНАЯ  5": {"50% Halle_A"}, `k\s`: {"Yard"}, `\`: {"Yard"}, "вХОД": {"Вход"}, "00-ab-cd": {"Вход"}, "ab:cd": {"Вход"}, "abcdef": {"Вход"},
		fmt.Sprintf("receiver #%d", d.Number): {"Вход"}, "nowhere": nil,
	} {
		scope := postgres.In(o.ID)
		found, err := db.Find(t.Context(), scope, postgres.ParseSought(typed), 20, []postgres.Finding{postgres.FindDevices(scope), postgres.FindLocations(scope)})
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, f := range found {
			if titles = append(titles, f.Title); f.OrganisationID != o.ID {
				t.Errorf("%s is said to be of %s", f.Title, f.OrganisationID)
			}
		}
		if !slices.Equal(titles, want) {
			t.Errorf("%q finds %q, want %q", typed, titles, want)
		}
		foreign := postgres.In(other.ID)
		if found, err := db.Find(t.Context(), foreign, postgres.ParseSought(typed), 20, []postgres.Finding{postgres.FindDevices(foreign), postgres.FindLocations(foreign)}); err != nil || len(found) > 0 {
			t.Errorf("%q finds %v of another organisation, %v", typed, found, err)
		}
	}
}
