package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// Location is a site of an organisation.
type Location struct {
	ID               schema.LocationID
	Organisation     schema.OrganisationID
	OrganisationName string
	Name             string
	Address          string
	TimeZone         string // IANA name
	CreatedAt        time.Time
}

// LocationFilter narrows a list; empty fields admit all.
type LocationFilter struct {
	Name string // exact
}

var locationConstraints = Constraints{
	"location_org_name_key": schema.Errorf(schema.Conflict, "name", "the organisation has a location of this name already"),
	"location_org_fkey":     schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation"),
}

func locations() List[Location] {
	return List[Location]{
		Select: `SELECT l.id, l.org, o.name, l.name, l.address, l.time_zone, l.created_at
			FROM location l JOIN organisation o ON o.id = l.org`,
		Key: "l.name", Cast: "text", ID: "l.id",
		Scan: func(row pgx.CollectableRow) (Location, error) {
			var l Location
			return l, row.Scan(&l.ID, &l.Organisation, &l.OrganisationName, &l.Name, &l.Address, &l.TimeZone, &l.CreatedAt)
		},
		At: func(l Location) Cursor { return Cursor{Key: l.Name, ID: l.ID.String()} },
	}
}

// Locations returns a page of the locations in scope, by name.
func (db *DB) Locations(ctx context.Context, scope Scope, filter LocationFilter, page Page) ([]Location, Cursor, error) {
	var where Where
	where.Scope("l.org", scope)
	where.Location("l.id", scope)
	if filter.Name != "" {
		where.Add("l.name = ?", filter.Name)
	}
	return locations().Read(ctx, db.In(scope), &where, page)
}

// Location returns one location, or NotFound.
func (db *DB) Location(ctx context.Context, scope Scope, id schema.LocationID) (Location, error) {
	var where Where
	where.Scope("l.org", scope)
	where.Location("l.id", scope)
	where.Add("l.id = ?", id)
	return locations().One(ctx, db.In(scope), &where)
}

// CreateLocation stores a new location of the organisation under a fresh id.
func (db *DB) CreateLocation(ctx context.Context, organisation schema.OrganisationID, l Location) (Location, error) {
	l.ID = schema.NewID[schema.LocationID]()
	err := db.Change(ctx, In(organisation), CoreTopic, func(tx Tx) error {
		const insert = `INSERT INTO location (id, org, name, address, time_zone) VALUES ($1, $2, $3, $4, $5)`
		tx.Record(audit.Entry{
			Organisation: organisation, Action: audit.Create, Object: audit.Object{Kind: "location", ID: l.ID.String(), Name: l.Name},
			Fields: []audit.Field{audit.Made("address", l.Address), audit.Made("time_zone", l.TimeZone)},
		})
		_, err := tx.Exec(ctx, insert, l.ID, organisation, l.Name, l.Address, l.TimeZone)
		return Explain(err, "insert location", locationConstraints)
	})
	if err != nil {
		return Location{}, err
	}
	return db.Location(ctx, In(organisation), l.ID)
}

// Named is what people call a location or a device.
type Named struct {
	Organisation schema.OrganisationID
	Kind         string // "location" or "device"
	ID           [16]byte
	Name         string
}

// Names returns the names of all locations and of the bound devices in scope; a
// device without a name of its own is called by its number.
func (db *DB) Names(ctx context.Context, scope Scope) ([]Named, error) {
	var where Where
	where.Scope("n.org", scope)
	sql := `SELECT n.org, n.kind, n.id, n.name FROM (
			SELECT org, 'location' AS kind, id, name FROM location
			UNION ALL
			SELECT org, 'device', id, CASE name WHEN '' THEN 'Receiver #' || number ELSE name END
			FROM device WHERE org IS NOT NULL) n` + where.String() + ` ORDER BY n.kind, n.id`
	return Collect(ctx, db.In(scope), func(row pgx.CollectableRow) (Named, error) {
		var n Named
		return n, row.Scan(&n.Organisation, &n.Kind, &n.ID, &n.Name)
	}, sql, where.Args()...)
}
