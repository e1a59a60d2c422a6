package store

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// topic is what changes are announced under: the product's id.
const topic = "ble"

// The bounds of one plan; the engine holds all of it in memory.
const (
	maxReceivers = 500
	maxZones     = 1000
)

// Store keeps plans, receivers, zones and tags.
type Store struct{ db *postgres.DB }

// New returns the store on the database.
func New(db *postgres.DB) *Store { return &Store{db} }

var planConstraints = postgres.Constraints{
	"ble_plan_location_name_key": schema.Errorf(schema.Conflict, "name", "the location has a plan of this name already"),
}

func plans() postgres.List[Plan] {
	return postgres.List[Plan]{
		Select: selectPlans(drawn),
		Key:    "p.name", Cast: "text", ID: "p.id",
		Scan: scanPlan,
		At:   func(p Plan) postgres.Cursor { return postgres.Cursor{Key: p.Name, ID: p.ID.String()} },
	}
}

// What of a plan's drawing is read: all, or nothing where nobody looks at it and it
// may be large.
const (
	drawn   = "p.walls, p.figures"
	undrawn = "'[]'::jsonb, '{}'::jsonb"
)

func selectPlans(drawing string) string {
	return `SELECT p.id, p.org, p.location, p.name, p.level, p.min_x, p.min_y, p.max_x, p.max_y, p.tag_height_m,
		` + drawing + `, p.image, p.no_go, p.zones_by, p.version, p.radio, p.created_at FROM ble_plan p`
}

func scanPlan(row pgx.CollectableRow) (Plan, error) {
	var p Plan
	b := &p.Bounds
	err := row.Scan(&p.ID, &p.Organisation, &p.Location, &p.Name, &p.Level, &b.Min.X, &b.Min.Y, &b.Max.X, &b.Max.Y,
		&p.TagHeightM, &p.Walls, &p.Figures, &p.Image, &p.NoGo, &p.ZonesBy, &p.Version, &p.Radio, &p.CreatedAt)
	return p, err
}

// Plans returns a page of the plans in scope, by name.
func (s *Store) Plans(ctx context.Context, scope postgres.Scope, filter PlanFilter, page postgres.Page) ([]Plan, postgres.Cursor, error) {
	var where postgres.Where
	where.Scope("p.org", scope)
	where.Location("p.location", scope)
	if !filter.Location.IsZero() {
		where.Add("p.location = ?", filter.Location)
	}
	if filter.Name != "" {
		where.Add("p.name = ?", filter.Name)
	}
	return plans().Read(ctx, s.db.In(scope), &where, page)
}

// Drawing is a plan with all that is on it.
type Drawing struct {
	Plan      Plan
	Receivers []Receiver // by number
	Zones     []Zone     // by number
	At        time.Time  // from when on it was so; zero: it is so now
}

// Drawing returns one plan with its receivers and zones as they were at one
// moment, or NotFound.
func (s *Store) Drawing(ctx context.Context, scope postgres.Scope, id schema.PlanID) (Drawing, error) {
	var d Drawing
	err := s.db.Read(ctx, scope, func(tx postgres.Tx) error {
		var where postgres.Where
		where.Scope("p.org", scope)
		where.Location("p.location", scope)
		where.Add("p.id = ?", id)
		var err error
		if d.Plan, err = plans().One(ctx, tx, &where); err != nil {
			return err
		}
		d.Receivers, d.Zones, err = partsNow(ctx, tx, id)
		return err
	})
	return d, err
}

// PlansOf returns the plans of each of the locations, by level and name.
func (s *Store) PlansOf(ctx context.Context, scope postgres.Scope, locations []schema.LocationID) (map[schema.LocationID][]schema.PlanRef, error) {
	ids := make([]string, len(locations))
	for i, id := range locations {
		ids[i] = id.String()
	}
	var where postgres.Where
	where.Scope("p.org", scope)
	where.Location("p.location", scope)
	where.Add("p.location = ANY (?::text[]::uuid[])", ids)
	found, err := postgres.Collect(ctx, s.db.In(scope), scanPlan, plans().Select+where.String()+" ORDER BY p.level, p.name", where.Args()...)
	byLocation := map[schema.LocationID][]schema.PlanRef{}
	for _, p := range found {
		byLocation[p.Location] = append(byLocation[p.Location], schema.PlanRef{ID: p.ID, Name: p.Name, Level: p.Level})
	}
	return byLocation, err
}

// CreatePlan stores a new plan at its location, in whose organisation it is.
func (s *Store) CreatePlan(ctx context.Context, scope postgres.Scope, p Plan) (Plan, error) {
	p.ID = schema.NewID[schema.PlanID]()
	var where postgres.Where
	b := p.Bounds
	insert := where.Bind(`INSERT INTO ble_plan (id, org, location, name, level, min_x, min_y, max_x, max_y, tag_height_m, walls, figures, no_go, zones_by)
		SELECT ?, l.org, l.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM location l`,
		p.ID, p.Name, p.Level, b.Min.X, b.Min.Y, b.Max.X, b.Max.Y, p.TagHeightM, p.Walls, p.Figures, p.NoGo, p.ZonesBy)
	where.Scope("l.org", scope)
	where.Location("l.id", scope)
	where.Add("l.id = ?", p.Location)
	err := s.db.Change(ctx, scope, topic, func(tx postgres.Tx) error {
		tag, err := tx.Exec(ctx, insert+where.String(), where.Args()...)
		switch {
		case err != nil:
			return postgres.Explain(err, "insert plan", planConstraints)
		case tag.RowsAffected() == 0:
			return schema.Errorf(schema.NotFound, "location_id", "there is no such location")
		}
		if err := scope.MayChange(p.Location); err != nil {
			return err
		}
		if err := recordNewPlan(ctx, tx, p); err != nil {
			return err
		}
		return keepVersion(ctx, tx, p.ID, wordPlan)
	})
	if err != nil {
		return Plan{}, err
	}
	d, err := s.Drawing(ctx, scope, p.ID)
	return d.Plan, err
}

func recordNewPlan(ctx context.Context, tx postgres.Tx, p Plan) error {
	of := owner{name: p.Name}
	var location string
	const find = `SELECT l.org, l.name FROM location l WHERE l.id = $1`
	if err := tx.QueryRow(ctx, find, p.Location).Scan(&of.organisation, &location); err != nil {
		return postgres.Explain(err, "find location", nil)
	}
	recordPlan(tx, of, audit.Create, p.ID, audit.Made("location", location))
	return nil
}

// ChangePlan lets change alter the plan as it is now and stores the result; an
// error of change leaves all as it was, and so does a change that alters nothing.
// what says what is changed, for the plan's versions. The id, organisation,
// location and version are not change's to alter.
func (s *Store) ChangePlan(ctx context.Context, scope postgres.Scope, id schema.PlanID, what string, change func(*Plan) error) (Plan, error) {
	var p Plan
	err := s.changePlan(ctx, scope, id, what, func(tx postgres.Tx, of owner) error {
		var err error
		if p, err = planNow(ctx, tx, id); err != nil {
			return err
		}
		old := p
		if err := change(&p); err != nil {
			return err
		}
		if reflect.DeepEqual(old, p) {
			return errUnchanged
		}
		recordPlan(tx, of, audit.Change, id, changesOf(old, p)...)
		return updatePlan(ctx, tx, p)
	})
	if errors.Is(err, errUnchanged) {
		p.Version-- // the one that was not made
		err = nil
	}
	return p, err
}

func planNow(ctx context.Context, tx postgres.Tx, id schema.PlanID) (Plan, error) {
	var where postgres.Where
	where.Add("p.id = ?", id)
	return plans().One(ctx, tx, &where)
}

func updatePlan(ctx context.Context, tx postgres.Tx, p Plan) error {
	const update = `UPDATE ble_plan SET name = $2, level = $3, min_x = $4, min_y = $5, max_x = $6, max_y = $7,
		tag_height_m = $8, walls = $9, no_go = $10, zones_by = $11, figures = $12, image = $13 WHERE id = $1`
	b := p.Bounds
	_, err := tx.Exec(ctx, update, p.ID, p.Name, p.Level, b.Min.X, b.Min.Y, b.Max.X, b.Max.Y, p.TagHeightM, p.Walls, p.NoGo, p.ZonesBy, p.Figures, p.Image)
	return postgres.Explain(err, "update plan", planConstraints)
}

// RemovePlan deletes a plan with its zones, surveys, reference points and versions;
// while receivers hang on it, that is a Conflict. What was stored of tags' ways on
// it stays in the warehouse.
func (s *Store) RemovePlan(ctx context.Context, scope postgres.Scope, id schema.PlanID) error {
	return s.change(ctx, "UPDATE ble_plan SET version = version + 1", scope, id, func(tx postgres.Tx, of owner) error {
		var receivers int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM ble_receiver WHERE plan = $1`, id).Scan(&receivers); err != nil {
			return err
		}
		if receivers > 0 {
			return schema.Errorf(schema.Conflict, "", "receivers hang on the plan, %d of them; take them off first", receivers)
		}
		if err := meet(ctx, tx, id, of.version); err != nil {
			return err
		}
		recordPlan(tx, of, audit.Delete, id)
		_, err := tx.Exec(ctx, `DELETE FROM ble_plan WHERE id = $1`, id)
		return postgres.Explain(err, "delete plan", nil)
	})
}

// owner is what the parts of a plan take over from it.
type owner struct {
	organisation schema.OrganisationID
	location     schema.LocationID
	name         string
	bounds       schema.Rect
	version      uint64 // as it is from this change on
}

// errUnchanged takes a change back that would alter nothing: what is saved twice is
// one version.
var errUnchanged = errors.New("nothing to change")

// changePlan locks the plan, bumps its version, runs fn and keeps what the plan
// looks like now, in which what was changed.
func (s *Store) changePlan(ctx context.Context, scope postgres.Scope, id schema.PlanID, what string, fn func(postgres.Tx, owner) error) error {
	return s.change(ctx, "UPDATE ble_plan SET version = version + 1", scope, id, func(tx postgres.Tx, of owner) error {
		if err := keepFirst(ctx, tx, id, of.version); err != nil {
			return err
		}
		if err := fn(tx, of); err != nil {
			return err
		}
		if err := meet(ctx, tx, id, of.version); err != nil {
			return err
		}
		return keepVersion(ctx, tx, id, what)
	})
}

// changeRadio locks the plan, marks what is known of its radio as changed and
// runs fn.
func (s *Store) changeRadio(ctx context.Context, scope postgres.Scope, id schema.PlanID, fn func(postgres.Tx, owner) error) error {
	return s.change(ctx, "UPDATE ble_plan SET radio = radio + 1", scope, id, fn)
}

// lockPlan locks the plan, which may be changed, without changing it yet.
func lockPlan(ctx context.Context, tx postgres.Tx, scope postgres.Scope, id schema.PlanID) (owner, error) {
	where := thePlan(scope, id)
	of, err := scanOwner(tx.QueryRow(ctx, "SELECT org, location, name, min_x, min_y, max_x, max_y, version FROM ble_plan"+where.String()+" FOR UPDATE", where.Args()...))
	if err != nil {
		return of, err
	}
	return of, scope.MayChange(of.location)
}

// thePlan admits the plan when the scope sees it.
func thePlan(scope postgres.Scope, id schema.PlanID) *postgres.Where {
	var where postgres.Where
	where.Scope("org", scope)
	where.Location("location", scope)
	where.Add("id = ?", id)
	return &where
}

func scanOwner(row pgx.Row) (owner, error) {
	var of owner
	b := &of.bounds
	err := row.Scan(&of.organisation, &of.location, &of.name, &b.Min.X, &b.Min.Y, &b.Max.X, &b.Max.Y, &of.version)
	return of, postgres.Explain(err, "find plan", nil)
}

func (s *Store) change(ctx context.Context, update string, scope postgres.Scope, id schema.PlanID, fn func(postgres.Tx, owner) error) error {
	return s.db.Change(ctx, scope, topic, func(tx postgres.Tx) error {
		where := thePlan(scope, id)
		of, err := scanOwner(tx.QueryRow(ctx, update+where.String()+" RETURNING org, location, name, min_x, min_y, max_x, max_y, version", where.Args()...))
		if err == nil {
			err = scope.MayChange(of.location)
		}
		if err != nil {
			return err
		}
		return fn(tx, of)
	})
}

// touchRadio marks what is known of the plan's radio as changed.
func touchRadio(ctx context.Context, tx postgres.Tx, plan schema.PlanID) error {
	_, err := tx.Exec(ctx, "UPDATE ble_plan SET radio = radio + 1 WHERE id = $1", plan)
	return postgres.Explain(err, "change plan", nil)
}

// forget deletes what is known of the radio about a part of the plan. A plan of
// which nothing is deleted keeps its radio, which is costly to read.
func forget(ctx context.Context, tx postgres.Tx, plan schema.PlanID, sql string, part any) error {
	tag, err := tx.Exec(ctx, sql, plan, part)
	if err != nil || tag.RowsAffected() == 0 {
		return postgres.Explain(err, "forget radio", nil)
	}
	return touchRadio(ctx, tx, plan)
}

// seePlan returns NotFound unless the plan is in scope.
func seePlan(ctx context.Context, tx postgres.Tx, scope postgres.Scope, id schema.PlanID) error {
	where := thePlan(scope, id)
	var one int
	err := tx.QueryRow(ctx, "SELECT 1 FROM ble_plan"+where.String(), where.Args()...).Scan(&one)
	return postgres.Explain(err, "find plan", nil)
}

// affected turns a statement that met no row into NotFound.
func affected(tag interface{ RowsAffected() int64 }, err error) error {
	if err == nil && tag.RowsAffected() == 0 {
		return pgx.ErrNoRows
	}
	return err
}

func refuseMore(ctx context.Context, tx postgres.Tx, count string, plan schema.PlanID, limit int) error {
	var n int
	if err := tx.QueryRow(ctx, count, plan).Scan(&n); err != nil {
		return err
	}
	if n >= limit {
		return schema.Errorf(schema.TooLarge, "", "the plan has %d of them already, which is the most", limit)
	}
	return nil
}

// MayDraw returns whose the plan is when it may be changed.
func (s *Store) MayDraw(ctx context.Context, scope postgres.Scope, id schema.PlanID) (schema.OrganisationID, error) {
	where := thePlan(scope, id)
	of, err := scanOwner(s.db.In(scope).QueryRow(ctx, "SELECT org, location, name, min_x, min_y, max_x, max_y, version FROM ble_plan"+where.String(), where.Args()...))
	if err != nil {
		return of.organisation, err
	}
	return of.organisation, scope.MayChange(of.location)
}
