package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/alert"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// AlertNames returns what the zones and receivers of the location and the tags of its
// organisation are called, of those that the condition names. What is not there has
// no name.
func (s *Store) AlertNames(ctx context.Context, scope postgres.Scope, location schema.LocationID, c alert.Condition) (alert.Names, error) {
	names := alert.Names{}
	for sql, ids := range map[string][]string{
		`SELECT z.id, CASE z.name WHEN '' THEN '#' || z.number ELSE z.name END FROM ble_zone z JOIN ble_plan p ON p.id = z.plan
			WHERE p.location = $1 AND z.id = ANY ($2::text[]::uuid[])`: textOf(c.Zones),
		`SELECT r.id, CASE d.name WHEN '' THEN 'Receiver #' || d.number ELSE d.name END FROM ble_receiver r JOIN ble_plan p ON p.id = r.plan
			JOIN device d ON d.id = r.device WHERE p.location = $1 AND r.id = ANY ($2::text[]::uuid[])`: textOf(c.Receivers),
		`SELECT t.id, t.name FROM ble_tag t JOIN location l ON l.org = t.org WHERE l.id = $1 AND t.id = ANY ($2::text[]::uuid[])`: textOf(c.Tags),
	} {
		if len(ids) == 0 {
			continue
		}
		rows, err := s.db.In(scope).Query(ctx, sql, location, ids)
		if err != nil {
			return nil, postgres.Explain(err, "read names", nil)
		}
		var id [16]byte
		var name string
		_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error { names[id] = name; return nil })
		if err != nil {
			return nil, postgres.Explain(err, "read names", nil)
		}
	}
	return names, nil
}

// textOf returns ids as an argument of a statement.
func textOf[I interface {
	~[16]byte
	String() string
}](ids []I) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

// maxLow bounds the tags with low batteries that one rule is told of.
const maxLow = 10_000

// AlertBatteries returns the tags that were last at the location, or of which nobody knows
// where they were, and whose battery was below so many per cent, the lowest first.
func (s *Store) AlertBatteries(ctx context.Context, org schema.OrganisationID, location schema.LocationID, below int) ([]alert.Charge, error) {
	const find = `SELECT h.tag, t.type, h.battery_percent, h.battery_at FROM ble_tag_heard h JOIN ble_tag t ON t.id = h.tag
		WHERE h.org = $1 AND h.battery_percent < $2 AND coalesce(h.last_location, $3) = $3 ORDER BY h.battery_percent, h.tag LIMIT $4`
	return postgres.Collect(ctx, s.db.In(postgres.In(org)), func(row pgx.CollectableRow) (c alert.Charge, err error) {
		return c, row.Scan(&c.Tag, &c.Type, &c.Percent, &c.At)
	}, find, org, below, location, maxLow)
}
