package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// ReceiverFilter narrows a list of receivers; zero fields admit all.
type ReceiverFilter struct {
	Location schema.LocationID
	Plan     schema.PlanID
	Status   string // "online" or "offline"
	Query    string // a number, a part of the MAC or of the name
}

// Hung is a receiver with what its device is.
type Hung struct {
	Receiver
	Organisation schema.OrganisationID
	MAC          string
	Online       bool      // as of seconds ago
	LastSeen     time.Time // zero: never
}

func hung() postgres.List[Hung] {
	return postgres.List[Hung]{
		Select: `SELECT r.id, r.plan, r.device, d.number, d.name, r.x, r.y, r.z, r.rotation, r.gain_db, r.org, d.mac::text, d.online, d.last_seen
			FROM ble_receiver r JOIN device d ON d.id = r.device JOIN ble_plan p ON p.id = r.plan`,
		Key: "d.number", Cast: "bigint", ID: "r.id",
		Scan: func(row pgx.CollectableRow) (Hung, error) {
			var h Hung
			var seen *time.Time
			err := row.Scan(&h.ID, &h.Plan, &h.Device, &h.Number, &h.Name, &h.X, &h.Y, &h.Z, &h.Rotation, &h.GainDB, &h.Organisation, &h.MAC, &h.Online, &seen)
			if seen != nil {
				h.LastSeen = *seen
			}
			return h, err
		},
		At: func(h Hung) postgres.Cursor {
			return postgres.Cursor{Key: strconv.FormatInt(h.Number, 10), ID: h.ID.String()}
		},
	}
}

// Receivers returns a page of the receivers in scope, by number.
func (s *Store) Receivers(ctx context.Context, scope postgres.Scope, filter ReceiverFilter, page postgres.Page) ([]Hung, postgres.Cursor, error) {
	where := ofPlans(scope, filter.Location, filter.Plan)
	switch filter.Status {
	case "online":
		where.Add("d.online")
	case "offline":
		where.Add("NOT d.online")
	}
	if q := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(filter.Query), "#")); q != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(q) + "%"
		where.Add("(d.number::text = ? OR d.search LIKE ? OR d.mac::text LIKE ?)", q, like, like)
	}
	return hung().Read(ctx, s.db.In(scope), where, page)
}

// ofPlans admits what is on plans that the scope sees, and of these on the plan and
// at the location if they are not zero. The plan is p.
func ofPlans(scope postgres.Scope, location schema.LocationID, plan schema.PlanID) *postgres.Where {
	var where postgres.Where
	where.Scope("p.org", scope)
	where.Location("p.location", scope)
	if !location.IsZero() {
		where.Add("p.location = ?", location)
	}
	if !plan.IsZero() {
		where.Add("p.id = ?", plan)
	}
	return &where
}

// ZoneFilter narrows a list of zones; zero fields admit all.
type ZoneFilter struct {
	Location schema.LocationID
	Plan     schema.PlanID
	Name     string // a part of it, letters' case does not matter
}

// Drawn is a zone with whose it is.
type Drawn struct {
	Zone
	Organisation schema.OrganisationID
	Location     schema.LocationID
}

func drawnZones() postgres.List[Drawn] {
	return postgres.List[Drawn]{
		Select: `SELECT z.id, z.plan, z.number, z.name, z.color, z.parent, z.polygon, z.capacity, z.org, p.location
			FROM ble_zone z JOIN ble_plan p ON p.id = z.plan`,
		Key: "z.number", Cast: "integer", ID: "z.id",
		Scan: func(row pgx.CollectableRow) (Drawn, error) {
			var z Drawn
			return z, row.Scan(&z.ID, &z.Plan, &z.Number, &z.Name, &z.Color, &z.Parent, &z.Polygon, &z.Capacity, &z.Organisation, &z.Location)
		},
		At: func(z Drawn) postgres.Cursor {
			return postgres.Cursor{Key: strconv.Itoa(z.Number), ID: z.ID.String()}
		},
	}
}

// Zones returns a page of the zones in scope, by number.
func (s *Store) Zones(ctx context.Context, scope postgres.Scope, filter ZoneFilter, page postgres.Page) ([]Drawn, postgres.Cursor, error) {
	where := ofPlans(scope, filter.Location, filter.Plan)
	if filter.Name != "" {
		where.Add("position(lower(?::text) in lower(z.name)) > 0", filter.Name)
	}
	return drawnZones().Read(ctx, s.db.In(scope), where, page)
}

// DevicesAt returns the devices that hang on plans of each of the locations.
func (s *Store) DevicesAt(ctx context.Context, scope postgres.Scope, locations []schema.LocationID) (map[schema.LocationID][]schema.DeviceID, error) {
	ids := make([]string, len(locations))
	for i, id := range locations {
		ids[i] = id.String()
	}
	where := ofPlans(scope, schema.LocationID{}, schema.PlanID{})
	where.Add("p.location = ANY (?::text[]::uuid[])", ids)
	type at struct {
		location schema.LocationID
		device   schema.DeviceID
	}
	scan := func(row pgx.CollectableRow) (at, error) {
		var a at
		return a, row.Scan(&a.location, &a.device)
	}
	found, err := postgres.Collect(ctx, s.db.In(scope), scan, `SELECT p.location, r.device FROM ble_receiver r JOIN ble_plan p ON p.id = r.plan`+where.String(), where.Args()...)
	out := map[schema.LocationID][]schema.DeviceID{}
	for _, a := range found {
		out[a.location] = append(out[a.location], a.device)
	}
	return out, err
}
