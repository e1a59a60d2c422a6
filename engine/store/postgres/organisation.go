package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

// Organisation is a tenant. Products are the ids of the products switched on.
type Organisation struct {
	ID          schema.OrganisationID
	Name        string
	Phone       string
	TimeZone    string // IANA name
	KeepDays    uint16 // retention of event rows in days, [schema.KeepForever] = for ever
	Products    []string
	CreatedAt   time.Time
	ActivatedAt time.Time // when the first product was switched on; zero: it waits
}

// OrganisationFilter narrows a list; empty fields admit all.
type OrganisationFilter struct {
	Name    string // exact
	Query   string // part of the name, the phone or an Owner's e-mail; letters' case does not matter
	Pending bool   // only those without any product
}

var organisationConstraints = Constraints{
	"organisation_name_key": schema.Errorf(schema.Conflict, "name", "an organisation of this name exists already"),
}

const organisationColumns = `o.id, o.name, o.phone, o.time_zone, o.keep_days, o.created_at, o.activated_at,
	ARRAY(SELECT p.product FROM organisation_product p WHERE p.org = o.id ORDER BY 1)`

func (o *Organisation) fields(keep *int32, activated **time.Time) []any {
	return []any{&o.ID, &o.Name, &o.Phone, &o.TimeZone, keep, &o.CreatedAt, activated, &o.Products}
}

func organisations() List[Organisation] {
	return List[Organisation]{
		Select: `SELECT ` + organisationColumns + ` FROM organisation o`,
		Key:    "o.name", Cast: "text", ID: "o.id",
		Scan: func(row pgx.CollectableRow) (Organisation, error) {
			var o Organisation
			err := scanOrganisation(row, &o)
			return o, err
		},
		At: func(o Organisation) Cursor { return Cursor{Key: o.Name, ID: o.ID.String()} },
	}
}

func scanOrganisation(row pgx.CollectableRow, o *Organisation, more ...any) error {
	var keep int32
	var activated *time.Time
	err := row.Scan(append(o.fields(&keep, &activated), more...)...)
	o.KeepDays, o.ActivatedAt = uint16(keep), timeOf(activated)
	return err
}

// Customer is an organisation as those see it who look after all of them.
type Customer struct {
	Organisation
	Email   string // of its first Owner; empty while it has none
	Devices int
	Users   int
}

// Pending reports whether it waits for a product.
func (c Customer) Pending() bool { return len(c.Products) == 0 }

func customers() List[Customer] {
	return List[Customer]{
		Select: `SELECT ` + organisationColumns + `,
			coalesce((SELECT a.email FROM account a WHERE a.org = o.id AND a.role = 'owner' ORDER BY a.created_at, a.id LIMIT 1), ''),
			(SELECT count(*) FROM device d WHERE d.org = o.id), (SELECT count(*) FROM account a WHERE a.org = o.id)
			FROM organisation o`,
		Key: "o.name", Cast: "text", ID: "o.id",
		Scan: func(row pgx.CollectableRow) (Customer, error) {
			var c Customer
			err := scanOrganisation(row, &c.Organisation, &c.Email, &c.Devices, &c.Users)
			return c, err
		},
		At: func(c Customer) Cursor { return Cursor{Key: c.Name, ID: c.ID.String()} },
	}
}

// Customers returns a page of all organisations, by name.
func (db *DB) Customers(ctx context.Context, filter OrganisationFilter, page Page) ([]Customer, Cursor, error) {
	var where Where
	filter.narrow(&where)
	return customers().Read(ctx, db.In(AllOrganisations()), &where, page)
}

// Customer returns one of all organisations, or NotFound.
func (db *DB) Customer(ctx context.Context, id schema.OrganisationID) (Customer, error) {
	var where Where
	where.Add("o.id = ?", id)
	return customers().One(ctx, db.In(AllOrganisations()), &where)
}

func (f OrganisationFilter) narrow(where *Where) {
	if f.Name != "" {
		where.Add("o.name = ?", f.Name)
	}
	if f.Query != "" {
		where.Add(`(strpos(lower(o.name), lower(?)) > 0 OR strpos(o.phone, ?) > 0 OR
			EXISTS (SELECT FROM account a WHERE a.org = o.id AND a.role = 'owner' AND strpos(lower(a.email), lower(?)) > 0))`, f.Query, f.Query, f.Query)
	}
	if f.Pending {
		where.Add("NOT EXISTS (SELECT FROM organisation_product p WHERE p.org = o.id)")
	}
}

// Organisations returns a page of the organisations in scope, by name.
func (db *DB) Organisations(ctx context.Context, scope Scope, filter OrganisationFilter, page Page) ([]Organisation, Cursor, error) {
	var where Where
	where.Scope("o.id", scope)
	filter.narrow(&where)
	return organisations().Read(ctx, db.In(scope), &where, page)
}

// Organisation returns one organisation, or NotFound.
func (db *DB) Organisation(ctx context.Context, scope Scope, id schema.OrganisationID) (Organisation, error) {
	return OrganisationIn(ctx, db.In(scope), scope, id)
}

// OrganisationIn is [DB.Organisation] inside of a transaction.
func OrganisationIn(ctx context.Context, q Rows, scope Scope, id schema.OrganisationID) (Organisation, error) {
	var where Where
	where.Scope("o.id", scope)
	where.Add("o.id = ?", id)
	return organisations().One(ctx, q, &where)
}

// CreateOrganisation stores a new organisation under a fresh id. It takes no
// scope: only who may see all organisations may call it.
func (db *DB) CreateOrganisation(ctx context.Context, o Organisation) (Organisation, error) {
	o.ID = schema.NewID[schema.OrganisationID]()
	err := db.Change(ctx, AllOrganisations(), CoreTopic, func(tx Tx) error { return InsertOrganisation(ctx, tx, o) })
	if err != nil {
		return Organisation{}, err
	}
	return db.Organisation(ctx, In(o.ID), o.ID)
}

// InsertOrganisation stores a new organisation under its id.
func InsertOrganisation(ctx context.Context, tx Tx, o Organisation) error {
	const insert = `INSERT INTO organisation (id, name, phone, time_zone, keep_days, activated_at)
		VALUES ($1, $2, $3, $4, $5, CASE WHEN cardinality($6::text[]) > 0 THEN now() END)`
	if _, err := tx.Exec(ctx, insert, o.ID, o.Name, o.Phone, o.TimeZone, int32(o.KeepDays), orEmpty(o.Products)); err != nil {
		return Explain(err, "insert organisation", organisationConstraints)
	}
	tx.Record(audit.Entry{Organisation: o.ID, Action: audit.Create, Object: organisationObject(o.ID, o.Name), Fields: organisationChanges(Organisation{}, o)})
	return insertProducts(ctx, tx, o.ID, o.Products)
}

func orEmpty(products []string) []string {
	if products == nil {
		return []string{}
	}
	return products
}

func insertProducts(ctx context.Context, tx Tx, id schema.OrganisationID, products []string) error {
	const insert = `INSERT INTO organisation_product (org, product) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`
	_, err := tx.Exec(ctx, insert, id, products)
	return Explain(err, "insert products", nil)
}

// ChangeOrganisation stores what differs between the two: name, phone, time zone,
// retention, products.
func ChangeOrganisation(ctx context.Context, tx Tx, before, after Organisation) error {
	changes := organisationChanges(before, after)
	if len(changes) == 0 {
		return nil
	}
	const update = `UPDATE organisation SET name = $2, phone = $3, time_zone = $4, keep_days = $5,
		activated_at = CASE WHEN cardinality($6::text[]) > 0 THEN coalesce(activated_at, now()) ELSE activated_at END WHERE id = $1`
	_, err := tx.Exec(ctx, update, after.ID, after.Name, after.Phone, after.TimeZone, int32(after.KeepDays), orEmpty(after.Products))
	if err != nil {
		return Explain(err, "change organisation", organisationConstraints)
	}
	if !slices.Equal(before.Products, after.Products) {
		const remove = `DELETE FROM organisation_product WHERE org = $1 AND product <> ALL($2::text[])`
		if _, err := tx.Exec(ctx, remove, after.ID, orEmpty(after.Products)); err != nil {
			return Explain(err, "remove products", nil)
		}
		if err := insertProducts(ctx, tx, after.ID, after.Products); err != nil {
			return err
		}
	}
	tx.Record(audit.Entry{Organisation: after.ID, Action: audit.Change, Object: organisationObject(after.ID, after.Name), Fields: changes})
	return nil
}

func organisationChanges(before, after Organisation) audit.Changes {
	var c audit.Changes
	c.Text("name", before.Name, after.Name)
	c.Personal("phone", before.Phone, after.Phone)
	c.Text("time_zone", before.TimeZone, after.TimeZone)
	c.Text("keep_days", days(before.KeepDays), days(after.KeepDays))
	c.Text("products", strings.Join(before.Products, ", "), strings.Join(after.Products, ", "))
	return c
}

func days(keep uint16) string {
	if keep == 0 {
		return ""
	}
	return strconv.Itoa(int(keep))
}

// LockOrganisation lets one transaction at a time change the organisation, and returns
// it; NotFound outside of the scope.
func LockOrganisation(ctx context.Context, tx Tx, scope Scope, id schema.OrganisationID) (Organisation, error) {
	const lock = `SELECT pg_advisory_xact_lock(hashtextextended('mybeacon organisation ' || $1::text, 0))`
	if _, err := tx.Exec(ctx, lock, id.String()); err != nil {
		return Organisation{}, Explain(err, "lock organisation", nil)
	}
	return OrganisationIn(ctx, tx, scope, id)
}

// FreeName returns the name, or the name with the first number that no organisation
// has: two customers may be called alike, and neither must learn of the other.
func FreeName(ctx context.Context, tx Tx, name string) (string, error) {
	const free = `SELECT n FROM (SELECT CASE i WHEN 1 THEN $1 ELSE $1 || ' ' || i END AS n, i FROM generate_series(1, 10000) i) numbered
		WHERE NOT EXISTS (SELECT FROM organisation o WHERE o.name = n) ORDER BY i LIMIT 1`
	var found string
	err := tx.QueryRow(ctx, free, name).Scan(&found)
	return found, Explain(err, "find a free name", nil)
}
