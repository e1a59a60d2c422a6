package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// MaxAddresses bounds the addresses that are kept of a tag, the newest.
const MaxAddresses = 8

// HeardFrom is an address that a tag advertised from.
type HeardFrom struct {
	Address string    `json:"address"` // aa:bb:cc:dd:ee:ff
	At      time.Time `json:"at"`      // last
}

// TagHeard is what was heard of a tag beside its track.
type TagHeard struct {
	Tag            schema.TagID
	Organisation   schema.OrganisationID
	At             time.Time // at least then
	BatteryPercent *int
	BatteryAt      *time.Time
	Addresses      []HeardFrom // the newest first
	SharedAt       *time.Time  // when it was last heard from two addresses at the same time
	Last           *Sighting   // nil: it had no place yet
}

// Sighting is where a tag was last.
type Sighting struct {
	At       time.Time
	Location schema.LocationID
	Plan     schema.PlanID
	Zone     schema.ZoneID // zero: outside zones
	X, Y     float64       // metres

	// What people call them; empty: they are no more, or nobody asked.
	LocationName, PlanName, ZoneName string
}

// NameSightings says what the places are called, all in one question.
func (s *Store) NameSightings(ctx context.Context, scope postgres.Scope, sightings []*Sighting) error {
	var locations []schema.LocationID
	var plans []schema.PlanID
	var zones []schema.ZoneID
	for _, at := range sightings {
		locations, plans, zones = append(locations, at.Location), append(plans, at.Plan), append(zones, at.Zone)
	}
	const sql = `SELECT id, name FROM location WHERE id = ANY ($1::uuid[]) UNION ALL SELECT id, name FROM ble_plan WHERE id = ANY ($2::uuid[])
		UNION ALL SELECT id, CASE name WHEN '' THEN '#' || number ELSE name END FROM ble_zone WHERE id = ANY ($3::uuid[])`
	rows, err := s.db.In(scope).Query(ctx, sql, uuids(locations), uuids(plans), uuids(zones))
	if err != nil {
		return postgres.Explain(err, "read names of places", nil)
	}
	names := map[[16]byte]string{}
	var id [16]byte
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		names[id] = name
		return nil
	})
	for _, at := range sightings {
		at.LocationName, at.PlanName, at.ZoneName = names[at.Location], names[at.Plan], names[at.Zone]
	}
	return postgres.Explain(err, "read names of places", nil)
}

// heardColumns are arrays, one of each column, as a statement takes many rows at once.
type heardColumns struct {
	tags, locations, plans, zones   [][16]byte
	at                              []time.Time
	percents                        []*int
	percentsAt, sharedAt, sightings []*time.Time
	addresses                       []string
	x, y                            []float64
}

func (c *heardColumns) add(h TagHeard) error {
	text, err := json.Marshal(append([]HeardFrom{}, h.Addresses...))
	if err != nil {
		return fmt.Errorf("encode addresses: %w", err)
	}
	var last Sighting
	var lastAt *time.Time
	if h.Last != nil {
		last, lastAt = *h.Last, &h.Last.At
	}
	c.tags, c.at, c.addresses = append(c.tags, h.Tag), append(c.at, h.At), append(c.addresses, string(text))
	c.percents, c.percentsAt, c.sharedAt = append(c.percents, h.BatteryPercent), append(c.percentsAt, h.BatteryAt), append(c.sharedAt, h.SharedAt)
	c.locations, c.plans, c.zones = append(c.locations, last.Location), append(c.plans, last.Plan), append(c.zones, last.Zone)
	c.sightings, c.x, c.y = append(c.sightings, lastAt), append(c.x, last.X), append(c.y, last.Y)
	return nil
}

// The tag's row is held against being deleted between the look and the insertion, and
// rows are met in one order by everybody.
const writeHeard = `WITH n AS (
		SELECT t.id, t.org, n.* FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::text[],
				$7::timestamptz[], $8::uuid[], $9::uuid[], $10::uuid[], $11::float8[], $12::float8[])
			AS n(tag, at, percent, percent_at, shared_at, addresses, last_at, last_location, last_plan, last_zone, last_x, last_y)
		JOIN ble_tag t ON t.id = n.tag ORDER BY t.id FOR KEY SHARE OF t)
	INSERT INTO ble_tag_heard AS h (tag, org, heard_at, battery_percent, battery_at, shared_at, addresses,
		last_at, last_location, last_plan, last_zone, last_x, last_y)
	SELECT id, org, at, percent, percent_at, shared_at, addresses::jsonb, last_at, last_location, last_plan,
		nullif(last_zone, '00000000-0000-0000-0000-000000000000'), last_x, last_y FROM n
	ON CONFLICT (tag) DO UPDATE SET heard_at = greatest(h.heard_at, excluded.heard_at),
		battery_percent = CASE WHEN excluded.battery_at IS NULL OR h.battery_at > excluded.battery_at THEN h.battery_percent ELSE excluded.battery_percent END,
		battery_at = greatest(h.battery_at, excluded.battery_at), shared_at = greatest(h.shared_at, excluded.shared_at),
		addresses = CASE WHEN excluded.addresses = '[]' THEN h.addresses ELSE excluded.addresses END,
		(last_at, last_location, last_plan, last_zone, last_x, last_y) =
			(SELECT l.* FROM (VALUES (h.last_at, h.last_location, h.last_plan, h.last_zone, h.last_x, h.last_y),
				(excluded.last_at, excluded.last_location, excluded.last_plan, excluded.last_zone, excluded.last_x, excluded.last_y)) AS l(at, location, plan, zone, x, y)
			ORDER BY l.at DESC NULLS LAST LIMIT 1)`

// WriteHeard stores the news of many tags at once. What it does not say of a tag
// stays as it was, what is older too, and a tag that is no more is passed over.
func (s *Store) WriteHeard(ctx context.Context, news []TagHeard) error {
	var c heardColumns
	for _, h := range news {
		if err := c.add(h); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		_, err := tx.Exec(ctx, writeHeard, c.tags, c.at, c.percents, c.percentsAt, c.sharedAt, c.addresses,
			c.sightings, c.locations, c.plans, c.zones, c.x, c.y)
		return postgres.Explain(err, "store what was heard of tags", nil)
	})
}

// Heard returns what is stored of the tags, in no order.
func (s *Store) Heard(ctx context.Context, tags []schema.TagID) ([]TagHeard, error) {
	const read = tagColumns + `LEFT JOIN ble_reference r ON r.tag = t.id WHERE t.id = ANY ($1::uuid[]) AND h.tag IS NOT NULL`
	found, err := postgres.Collect(ctx, s.db.In(postgres.AllOrganisations()), scanTag, read, uuids(tags))
	out := make([]TagHeard, len(found))
	for i, t := range found {
		out[i] = *t.Heard
	}
	return out, err
}

// Battery is what a tag said last of its battery.
type Battery struct {
	Tag     schema.TagID
	Name    string
	Type    string
	Percent int
	At      time.Time
}

// Batteries returns the organisation's tags whose battery is below so many percent,
// the lowest first, at most most of them.
func (s *Store) Batteries(ctx context.Context, organisation schema.OrganisationID, below, most int) ([]Battery, error) {
	const sql = `SELECT h.tag, t.name, t.type, h.battery_percent, h.battery_at FROM ble_tag_heard h JOIN ble_tag t ON t.id = h.tag
		WHERE h.org = $1 AND h.battery_percent < $2 ORDER BY h.battery_percent, h.tag LIMIT $3`
	return postgres.Collect(ctx, s.db.In(postgres.In(organisation)), func(row pgx.CollectableRow) (b Battery, err error) {
		return b, row.Scan(&b.Tag, &b.Name, &b.Type, &b.Percent, &b.At)
	}, sql, organisation, below, most)
}

// Registered returns which of the transmitters are tags of the organisation.
func (s *Store) Registered(ctx context.Context, organisation schema.OrganisationID, transmitters []schema.Transmitter) (map[schema.Transmitter]bool, error) {
	texts := make([]string, len(transmitters))
	for i, t := range transmitters {
		texts[i] = t.String()
	}
	const sql = `SELECT transmitter FROM ble_tag WHERE org = $1 AND transmitter = ANY ($2)`
	found, err := postgres.Collect(ctx, s.db.In(postgres.In(organisation)), pgx.RowTo[string], sql, organisation, texts)
	if err != nil {
		return nil, err
	}
	registered := make(map[schema.Transmitter]bool, len(found))
	for _, text := range found {
		t, err := schema.ParseTransmitter(text)
		if err != nil {
			return nil, err
		}
		registered[t] = true
	}
	return registered, nil
}

// DeviceNumbers returns the numbers by which people call the devices in scope.
func (s *Store) DeviceNumbers(ctx context.Context, scope postgres.Scope) (map[schema.DeviceID]int64, error) {
	var where postgres.Where
	where.Scope("d.org", scope)
	where.Location("d.location", scope)
	rows, err := s.db.In(scope).Query(ctx, "SELECT d.id, d.number FROM device d"+where.String(), where.Args()...)
	if err != nil {
		return nil, postgres.Explain(err, "read devices", nil)
	}
	numbers := map[schema.DeviceID]int64{}
	var id schema.DeviceID
	var number int64
	_, err = pgx.ForEachRow(rows, []any{&id, &number}, func() error {
		numbers[id] = number
		return nil
	})
	return numbers, postgres.Explain(err, "read devices", nil)
}
