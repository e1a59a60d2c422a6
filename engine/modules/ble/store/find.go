package store

import (
	"context"
	"strings"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Find returns up to most plans, zones and tags each that the scope sees and that
// match.
func (s *Store) Find(ctx context.Context, scope postgres.Scope, sought postgres.Sought, most int) ([]schema.Found, error) {
	return s.db.Find(ctx, scope, sought, most, []postgres.Finding{findPlans(scope), findZones(scope), findTags(scope)})
}

func findPlans(scope postgres.Scope) postgres.Finding {
	return postgres.Finding{
		Kind: "plan",
		Select: `SELECT p.org, p.id::text, p.name, l.name, '/ble/map/' || p.location || '/' || p.id
			FROM ble_plan p JOIN location l ON l.id = p.location`,
		Where: func(w *postgres.Where, s postgres.Sought) {
			w.Scope("p.org", scope)
			w.Location("p.location", scope)
			w.Add("strpos(lower(p.name), ?) > 0", s.Text)
		},
	}
}

func findZones(scope postgres.Scope) postgres.Finding {
	return postgres.Finding{
		Kind: "zone",
		Select: `SELECT z.org, z.id::text, CASE z.name WHEN '' THEN 'Zone #' || z.number ELSE z.name END, p.name,
			'/ble/map/' || p.location || '/' || p.id
			FROM ble_zone z JOIN ble_plan p ON p.id = z.plan`,
		Where: func(w *postgres.Where, s postgres.Sought) {
			w.Scope("z.org", scope)
			w.Location("p.location", scope)
			w.Add("strpos(lower(CASE z.name WHEN '' THEN 'Zone #' || z.number ELSE z.name END), ?) > 0", s.Text)
		},
	}
}

// findTags matches what a tag sends too: a MAC address is written on many of them.
func findTags(scope postgres.Scope) postgres.Finding {
	return postgres.Finding{
		Kind:   "tag",
		Select: `SELECT t.org, t.id::text, t.name, t.transmitter, '/ble/map?tag=' || t.id FROM ble_tag t`,
		Where: func(w *postgres.Where, s postgres.Sought) {
			w.Scope("t.org", scope)
			either := []string{w.Bind("t.words LIKE ?", s.Pattern())}
			if s.MAC != "" && s.MAC != s.Text {
				either = append(either, w.Bind("t.words LIKE ?", s.MACPattern()))
			}
			w.Add("(" + strings.Join(either, " OR ") + ")")
		},
	}
}
