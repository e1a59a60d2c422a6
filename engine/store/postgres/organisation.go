package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/schema"
)

// Organisation is a tenant. Products are the ids of the products switched on.
type Organisation struct {
	ID        schema.OrganisationID
	Name      string
	TimeZone  string // IANA name
	KeepDays  uint16 // retention of event rows in days, [schema.KeepForever] = for ever
	Products  []string
	CreatedAt time.Time
}

// OrganisationFilter narrows a list; empty fields admit all.
type OrganisationFilter struct {
	Name string // exact
}

var organisationConstraints = Constraints{
	"organisation_name_key": schema.Errorf(schema.Conflict, "name", "an organisation of this name exists already"),
}

func organisations() List[Organisation] {
	return List[Organisation]{
		Select: `SELECT o.id, o.name, o.time_zone, o.keep_days, o.created_at,
			ARRAY(SELECT p.product FROM organisation_product p WHERE p.org = o.id ORDER BY 1)
			FROM organisation o`,
		Key: "o.name", Cast: "text", ID: "o.id",
		Scan: scanOrganisation,
		At:   func(o Organisation) Cursor { return Cursor{Key: o.Name, ID: o.ID.String()} },
	}
}

func scanOrganisation(row pgx.CollectableRow) (Organisation, error) {
	var o Organisation
	var keep int32
	err := row.Scan(&o.ID, &o.Name, &o.TimeZone, &keep, &o.CreatedAt, &o.Products)
	o.KeepDays = uint16(keep)
	return o, err
}

// Organisations returns a page of the organisations in scope, by name.
func (db *DB) Organisations(ctx context.Context, scope Scope, filter OrganisationFilter, page Page) ([]Organisation, Cursor, error) {
	var where Where
	where.Scope("o.id", scope)
	if filter.Name != "" {
		where.Add("o.name = ?", filter.Name)
	}
	return organisations().Read(ctx, db.In(AllOrganisations()), &where, page)
}

// Organisation returns one organisation, or NotFound.
func (db *DB) Organisation(ctx context.Context, scope Scope, id schema.OrganisationID) (Organisation, error) {
	var where Where
	where.Scope("o.id", scope)
	where.Add("o.id = ?", id)
	return organisations().One(ctx, db.In(AllOrganisations()), &where)
}

// CreateOrganisation stores a new organisation under a fresh id. It takes no
// scope: only who may see all organisations may call it.
func (db *DB) CreateOrganisation(ctx context.Context, o Organisation) (Organisation, error) {
	o.ID = schema.NewID[schema.OrganisationID]()
	err := db.Change(ctx, AllOrganisations(), "core", func(tx Tx) error {
		const insert = `INSERT INTO organisation (id, name, time_zone, keep_days) VALUES ($1, $2, $3, $4)`
		if _, err := tx.Exec(ctx, insert, o.ID, o.Name, o.TimeZone, int32(o.KeepDays)); err != nil {
			return Explain(err, "insert organisation", organisationConstraints)
		}
		const products = `INSERT INTO organisation_product (org, product) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`
		_, err := tx.Exec(ctx, products, o.ID, o.Products)
		return Explain(err, "insert products", nil)
	})
	if err != nil {
		return Organisation{}, err
	}
	return db.Organisation(ctx, In(o.ID), o.ID)
}
