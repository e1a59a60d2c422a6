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

// Tag is a registered transmitter and what carries it. One that is bound to nothing
// is an asset called by what it sends.
type Tag struct {
	schema.Tag
	Description string
	CreatedAt   time.Time
	BoundAt     *time.Time // nil: bound to nothing
	Photo       string     // the file's digest; empty: none
	Reference   *Reference // nil unless it hangs at a known point
	Heard       *TagHeard  // as stored; nil: never heard, as far as stored
}

// TagFilter narrows a list of tags; zero fields admit all.
type TagFilter struct {
	Transmitter  schema.Transmitter
	Name         string // part of the name, letters' case does not matter
	Type         string
	Unbound      *bool
	BatteryBelow int            // percent; 0: any, also of tags that do not say
	Among        []schema.TagID // only these; nil: all
	Except       []schema.TagID // not these
	Heard        *bool          // ever
	At           *TagPlace      // nil: anywhere
}

// TagPlace admits tags by where they are: those of Now, and those that were heard
// there last and are not of Elsewhere. Zero ids and nil Zones admit all.
type TagPlace struct {
	Location  schema.LocationID
	Plan      schema.PlanID
	Zones     []schema.ZoneID
	Now       []schema.TagID
	Elsewhere []schema.TagID // who is somewhere now, there or not
}

func (p TagPlace) apply(where *postgres.Where) {
	last := where.Bind("t.id <> ALL (?::uuid[])", uuids(p.Elsewhere))
	if !p.Location.IsZero() {
		last += where.Bind(" AND h.last_location = ?", p.Location)
	}
	if !p.Plan.IsZero() {
		last += where.Bind(" AND h.last_plan = ?", p.Plan)
	}
	if p.Zones != nil {
		last += where.Bind(" AND h.last_zone = ANY (?::uuid[])", uuids(p.Zones))
	}
	where.Add("(t.id = ANY (?::uuid[]) OR "+last+")", uuids(p.Now))
}

func (f TagFilter) apply(where *postgres.Where) {
	if f.Transmitter != (schema.Transmitter{}) {
		where.Add("t.transmitter = ?", f.Transmitter.String())
	}
	if f.Type != "" {
		where.Add("t.type = ?", f.Type)
	}
	if f.Name != "" {
		where.Add(`t.search LIKE '%' || lower(?) || '%' ESCAPE '\'`, literal(f.Name))
	}
	if f.BatteryBelow > 0 {
		where.Add("h.battery_percent < ?", f.BatteryBelow)
	}
	if f.Among != nil {
		where.Add("t.id = ANY (?::uuid[])", uuids(f.Among))
	}
	if len(f.Except) > 0 {
		where.Add("t.id <> ALL (?::uuid[])", uuids(f.Except))
	}
	if f.At != nil {
		f.At.apply(where)
	}
	whereNull(where, "b.from_at", f.Unbound)
	if f.Heard != nil {
		never := !*f.Heard
		whereNull(where, "h.tag", &never)
	}
}

func whereNull(where *postgres.Where, column string, null *bool) {
	switch {
	case null == nil:
	case *null:
		where.Add(column + " IS NULL")
	default:
		where.Add(column + " IS NOT NULL")
	}
}

// uuids are sent in the binary form: a list may be of all tags that are heard now.
func uuids[I ~[16]byte](ids []I) [][16]byte {
	out := make([][16]byte, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

var tagConstraints = postgres.Constraints{
	"ble_tag_org_transmitter_key": schema.Errorf(schema.Conflict, "transmitter", "the organisation has a tag with this transmitter already"),
	"ble_tag_org_fkey":            schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation"),
}

const tagColumns = `SELECT t.org, t.id, t.transmitter, t.name, t.type, t.description, t.created_at, coalesce(t.photo, ''), b.from_at,
	h.heard_at, h.battery_percent, h.battery_at, h.addresses, h.shared_at, h.last_at, h.last_location, h.last_plan, h.last_zone,
	coalesce(h.last_x, 0), coalesce(h.last_y, 0), r.plan, r.x, r.y, r.since, r.counted_to FROM ble_tag t
	LEFT JOIN ble_tag_binding b ON b.tag = t.id AND b.to_at IS NULL LEFT JOIN ble_tag_heard h ON h.tag = t.id `

// tagsOf reads tags as the scope sees them. They are the organisation's, as their
// names are; where one hangs is seen by who sees that location.
func tagsOf(scope postgres.Scope, where *postgres.Where) postgres.List[Tag] {
	from := tagColumns + `LEFT JOIN ble_reference r ON r.tag = t.id`
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
	var since, counted, heard *time.Time
	var h TagHeard
	var last Sighting
	var lastAt *time.Time
	err := row.Scan(&t.Organisation, &t.ID, &transmitter, &t.Name, &t.Type, &t.Description, &t.CreatedAt, &t.Photo, &t.BoundAt,
		&heard, &h.BatteryPercent, &h.BatteryAt, &h.Addresses, &h.SharedAt,
		&lastAt, &last.Location, &last.Plan, &last.Zone, &last.X, &last.Y, &plan, &x, &y, &since, &counted)
	if err != nil {
		return t, err
	}
	if !plan.IsZero() {
		t.Reference = &Reference{Tag: t.ID, Organisation: t.Organisation, Plan: plan, X: *x, Y: *y, Since: *since, CountedTo: *counted}
	}
	if heard != nil {
		h.Tag, h.Organisation, h.At = t.ID, t.Organisation, *heard
		if lastAt != nil {
			last.At = *lastAt
			h.Last = &last
		}
		t.Heard = &h
	}
	t.Transmitter, err = schema.ParseTransmitter(transmitter)
	return t, err
}

// worldTags reads what the engine must know of tags.
const worldTags = `SELECT t.org, t.id, t.transmitter, t.name, t.type FROM ble_tag t`

func scanWorldTag(row pgx.CollectableRow) (Tag, error) {
	var t Tag
	var transmitter string
	err := row.Scan(&t.Organisation, &t.ID, &transmitter, &t.Name, &t.Type)
	if err == nil {
		t.Transmitter, err = schema.ParseTransmitter(transmitter)
	}
	return t, err
}

// Tags returns a page of the tags in scope, by name.
func (s *Store) Tags(ctx context.Context, scope postgres.Scope, filter TagFilter, page postgres.Page) ([]Tag, postgres.Cursor, error) {
	var where postgres.Where
	where.Scope("t.org", scope)
	filter.apply(&where)
	return tagsOf(scope, &where).Read(ctx, s.db.In(scope), &where, page)
}

// Tag returns one tag of the scope, or NotFound.
func (s *Store) Tag(ctx context.Context, scope postgres.Scope, id schema.TagID) (Tag, error) {
	return readTag(ctx, s.db.In(scope), scope, id)
}

func readTag(ctx context.Context, q postgres.Rows, scope postgres.Scope, id schema.TagID) (Tag, error) {
	var where postgres.Where
	where.Scope("t.org", scope)
	where.Add("t.id = ?", id)
	return tagsOf(scope, &where).One(ctx, q, &where)
}

// literal takes the meaning from the characters that LIKE gives one.
func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// CreateTag stores a new tag of the organisation under a fresh id, bound to what it
// is called from now on. on says whether the product is switched on for it, so that
// the tag is part of the [World].
func (s *Store) CreateTag(ctx context.Context, organisation schema.OrganisationID, t Tag) (created Tag, on bool, err error) {
	t.ID = schema.NewID[schema.TagID]()
	t.Organisation = organisation
	err = s.db.Change(ctx, postgres.In(organisation), topic, func(tx postgres.Tx) error {
		const insert = `INSERT INTO ble_tag (id, org, transmitter, type, name, description)
			VALUES ($1, $2, $3, $4, $5, $6) RETURNING created_at, org` + switchedOn
		err := tx.QueryRow(ctx, insert, t.ID, organisation, t.Transmitter.String(), t.Type, t.Name, t.Description).Scan(&t.CreatedAt, &on)
		if err != nil {
			return postgres.Explain(err, "insert tag", tagConstraints)
		}
		recordNew(tx, t)
		t.BoundAt, err = bind(ctx, tx, t)
		return err
	})
	return t, on, err
}

func recordNew(tx postgres.Tx, t Tag) {
	tx.Record(audit.Entry{
		Organisation: t.Organisation, Action: audit.Create, Object: tagObject(t.Tag),
		Fields: []audit.Field{audit.Made("transmitter", t.Transmitter.String()), audit.Made("type", t.Type)},
	})
}

// ChangeTag lets change alter what the tag and its present binding are called, the
// description and the photo: a correction, no new binding.
func (s *Store) ChangeTag(ctx context.Context, scope postgres.Scope, id schema.TagID, change func(*Tag) error) (Tag, error) {
	return s.alterTag(ctx, scope, id, func(tx postgres.Tx, old Tag) error {
		t := old
		if err := change(&t); err != nil {
			return err
		}
		fields := changesOfTag(old, t)
		if len(fields) == 0 {
			tx.Unrecorded("nothing changes")
			return nil
		}
		recordTag(tx, audit.Change, t, fields...)
		if err := writeTag(ctx, tx, t); err != nil {
			return err
		}
		const correct = `UPDATE ble_tag_binding SET type = $2, name = $3, description = $4 WHERE tag = $1 AND to_at IS NULL`
		_, err := tx.Exec(ctx, correct, t.ID, t.Type, t.Name, t.Description)
		return postgres.Explain(err, "correct binding", nil)
	})
}

// RemoveTag deletes a tag with its bindings and photo. What was stored of its ways
// stays in the warehouse.
func (s *Store) RemoveTag(ctx context.Context, scope postgres.Scope, id schema.TagID) error {
	return s.db.Change(ctx, scope, topic, func(tx postgres.Tx) error {
		t, err := lockTag(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		recordTag(tx, audit.Delete, t, audit.Of("transmitter", t.Transmitter.String()))
		if t.Reference != nil {
			if err := leave(ctx, tx, scope, t.Reference.Plan); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `DELETE FROM ble_tag WHERE id = $1`, id)
		return postgres.Explain(err, "delete tag", nil)
	})
}

// alterTag runs fn with the locked tag and returns the tag as it is afterwards.
func (s *Store) alterTag(ctx context.Context, scope postgres.Scope, id schema.TagID, fn func(postgres.Tx, Tag) error) (now Tag, err error) {
	err = s.db.Change(ctx, scope, topic, func(tx postgres.Tx) error {
		old, err := lockTag(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if err := fn(tx, old); err != nil {
			return err
		}
		now, err = readTag(ctx, tx, scope, id)
		return err
	})
	return now, err
}

// lockTag returns the tag, which stays as it is until the transaction ends.
func lockTag(ctx context.Context, tx postgres.Tx, scope postgres.Scope, id schema.TagID) (Tag, error) {
	var where postgres.Where
	where.Scope("org", scope)
	where.Add("id = ?", id)
	err := affected(tx.Exec(ctx, "SELECT FROM ble_tag"+where.String()+" FOR UPDATE", where.Args()...))
	if err != nil {
		return Tag{}, postgres.Explain(err, "lock tag", nil)
	}
	return readTag(ctx, tx, scope, id)
}

func writeTag(ctx context.Context, tx postgres.Tx, t Tag) error {
	const update = `UPDATE ble_tag SET type = $2, name = $3, description = $4, photo = nullif($5, '') WHERE id = $1`
	_, err := tx.Exec(ctx, update, t.ID, t.Type, t.Name, t.Description, t.Photo)
	return postgres.Explain(err, "update tag", nil)
}

// switchedOn is true of the organisations that have the product.
const switchedOn = ` IN (SELECT op.org FROM organisation_product op WHERE op.product = '` + topic + `')`

// PlaceFor returns the location of the plan or the zone, and the zone with those that
// are parts of it; NotFound when the scope has no such plan or zone.
func (s *Store) PlaceFor(ctx context.Context, scope postgres.Scope, plan schema.PlanID, zone schema.ZoneID) (at schema.LocationID, zones []schema.ZoneID, err error) {
	var where postgres.Where
	where.Scope("p.org", scope)
	where.Location("p.location", scope)
	from := "ble_plan p"
	if !zone.IsZero() {
		from += where.Bind(" JOIN ble_zone z ON z.plan = p.id AND (z.id = ? OR z.parent = ?)", zone, zone)
	}
	if !plan.IsZero() {
		where.Add("p.id = ?", plan)
	}
	column := "NULL::uuid"
	if !zone.IsZero() {
		column = "z.id"
	}
	found, err := postgres.Collect(ctx, s.db.In(scope), func(row pgx.CollectableRow) (id schema.ZoneID, err error) {
		return id, row.Scan(&at, &id)
	}, "SELECT p.location, "+column+" FROM "+from+where.String(), where.Args()...)
	switch {
	case err != nil:
		return at, nil, err
	case len(found) == 0:
		return at, nil, schema.Errorf(schema.NotFound, "", "there is no such place")
	case zone.IsZero():
		return at, nil, nil
	}
	return at, found, nil
}
