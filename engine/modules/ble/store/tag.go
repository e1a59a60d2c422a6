package store

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

var tagConstraints = postgres.Constraints{
	"ble_tag_org_transmitter_key": schema.Errorf(schema.Conflict, "transmitter", "the organisation has a tag with this transmitter already"),
	"ble_tag_org_fkey":            schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation"),
}

const tagColumns = `SELECT t.org, t.id, t.transmitter, t.name, t.type, t.description, t.created_at,
	r.plan, r.x, r.y, r.since, r.counted_to FROM ble_tag t `

// selectTag reads tags with where they hang.
const selectTag = tagColumns + `LEFT JOIN ble_reference r ON r.tag = t.id`

// tagsOf reads tags as the scope sees them. They are the organisation's, as their
// names are; where one hangs is seen by who sees that location.
func tagsOf(scope postgres.Scope, where *postgres.Where) postgres.List[Tag] {
	from := selectTag
	if !scope.Everywhere() {
		from = tagColumns + where.Bind(`LEFT JOIN (ble_reference r JOIN ble_plan p ON p.id = r.plan AND p.location = ANY (?::text[]::uuid[])) ON r.tag = t.id`, scope.Locations())
	}
	return postgres.List[Tag]{
		Select: from,
		Key:    "t.name", Cast: "text", ID: "t.id",
		Scan: scanTag,
		At:   func(t Tag) postgres.Cursor { return postgres.Cursor{Key: t.Name, ID: t.ID.String()} },
	}
}

func scanTag(row pgx.CollectableRow) (Tag, error) {
	var t Tag
	var transmitter string
	var plan schema.PlanID
	var x, y *float64
	var since, counted *time.Time
	err := row.Scan(&t.Organisation, &t.ID, &transmitter, &t.Name, &t.Type, &t.Description, &t.CreatedAt, &plan, &x, &y, &since, &counted)
	if err != nil {
		return t, err
	}
	if !plan.IsZero() {
		t.Reference = &Reference{Tag: t.ID, Organisation: t.Organisation, Plan: plan, X: *x, Y: *y, Since: *since, CountedTo: *counted}
	}
	t.Transmitter, err = schema.ParseTransmitter(transmitter)
	return t, err
}

// Tags returns a page of the tags in scope, by name.
func (s *Store) Tags(ctx context.Context, scope postgres.Scope, filter TagFilter, page postgres.Page) ([]Tag, postgres.Cursor, error) {
	var where postgres.Where
	where.Scope("t.org", scope)
	if filter.Transmitter != (schema.Transmitter{}) {
		where.Add("t.transmitter = ?", filter.Transmitter.String())
	}
	if filter.Type != "" {
		where.Add("t.type = ?", filter.Type)
	}
	if filter.Name != "" {
		where.Add(`t.search LIKE '%' || lower(?) || '%' ESCAPE '\'`, literal(filter.Name))
	}
	return tagsOf(scope, &where).Read(ctx, s.db.In(scope), &where, page)
}

// literal takes the meaning from the characters that LIKE gives one.
func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// CreateTag stores a new tag of the organisation under a fresh id. on says whether
// the product is switched on for it, so that the tag is part of the [World].
func (s *Store) CreateTag(ctx context.Context, organisation schema.OrganisationID, t Tag) (created Tag, on bool, err error) {
	t.ID = schema.NewID[schema.TagID]()
	t.Organisation = organisation
	err = s.db.Change(ctx, postgres.In(organisation), topic, func(tx postgres.Tx) error {
		const insert = `INSERT INTO ble_tag (id, org, transmitter, type, name, description)
			VALUES ($1, $2, $3, $4, $5, $6) RETURNING created_at, org` + switchedOn
		err := tx.QueryRow(ctx, insert, t.ID, organisation, t.Transmitter.String(), t.Type, t.Name, t.Description).Scan(&t.CreatedAt, &on)
		tx.Record(audit.Entry{
			Organisation: organisation, Action: audit.Create, Object: tagObject(t.Tag),
			Fields: []audit.Field{audit.Made("transmitter", t.Transmitter.String()), audit.Made("type", t.Type)},
		})
		return postgres.Explain(err, "insert tag", tagConstraints)
	})
	return t, on, err
}

// switchedOn is true of the organisations that have the product.
const switchedOn = ` IN (SELECT op.org FROM organisation_product op WHERE op.product = '` + topic + `')`
