package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// Place is where a plan is and what it covers.
type Place struct {
	Plan         schema.PlanID
	Organisation schema.OrganisationID
	Location     schema.LocationID
	Name         string
	Bounds       schema.Rect
}

// Place returns where the plan is, or NotFound.
func (s *Store) Place(ctx context.Context, scope postgres.Scope, plan schema.PlanID) (Place, error) {
	where := thePlan(scope, plan)
	of, err := scanOwner(s.db.In(scope).QueryRow(ctx, "SELECT org, location, name, min_x, min_y, max_x, max_y, version FROM ble_plan"+where.String(), where.Args()...))
	return Place{Plan: plan, Organisation: of.organisation, Location: of.location, Name: of.name, Bounds: of.bounds}, err
}

// ZoneLabel is what an answer about the past says of a zone.
type ZoneLabel struct {
	Zone   schema.ZoneID
	Plan   schema.PlanID
	Number int
	Name   string
	Color  string
	Parent schema.ZoneID
}

// ZoneLabels returns the zones of all plans of the location, by id.
func (s *Store) ZoneLabels(ctx context.Context, scope postgres.Scope, location schema.LocationID) (map[schema.ZoneID]ZoneLabel, error) {
	var where postgres.Where
	where.Scope("p.org", scope)
	where.Location("p.location", scope)
	where.Add("p.location = ?", location)
	const find = `SELECT z.id, z.plan, z.number, z.name, z.color, z.parent FROM ble_zone z JOIN ble_plan p ON p.id = z.plan`
	found, err := postgres.Collect(ctx, s.db.In(scope), func(row pgx.CollectableRow) (ZoneLabel, error) {
		var l ZoneLabel
		return l, row.Scan(&l.Zone, &l.Plan, &l.Number, &l.Name, &l.Color, &l.Parent)
	}, find+where.String(), where.Args()...)
	out := make(map[schema.ZoneID]ZoneLabel, len(found))
	for _, l := range found {
		out[l.Zone] = l
	}
	return out, err
}

// TagLabel is what an answer about the past says of a tag.
type TagLabel struct {
	Tag  schema.TagID
	Name string
	Type string
}

// TagLabels returns those of the organisation's tags that there are, by id.
func (s *Store) TagLabels(ctx context.Context, organisation schema.OrganisationID, ids []schema.TagID) (map[schema.TagID]TagLabel, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	const find = `SELECT t.id, t.name, t.type FROM ble_tag t WHERE t.org = $1 AND t.id = ANY ($2::text[]::uuid[])`
	found, err := postgres.Collect(ctx, s.db.In(postgres.In(organisation)), func(row pgx.CollectableRow) (TagLabel, error) {
		var l TagLabel
		return l, row.Scan(&l.Tag, &l.Name, &l.Type)
	}, find, organisation, texts)
	out := make(map[schema.TagID]TagLabel, len(found))
	for _, l := range found {
		out[l.Tag] = l
	}
	return out, err
}

// TagsOfType returns up to most of the organisation's tags that are of the type now.
func (s *Store) TagsOfType(ctx context.Context, organisation schema.OrganisationID, kind string, most int) ([]schema.TagID, error) {
	const find = `SELECT t.id FROM ble_tag t WHERE t.org = $1 AND t.type = $2 ORDER BY t.id LIMIT $3`
	return postgres.Collect(ctx, s.db.In(postgres.In(organisation)), pgx.RowTo[schema.TagID], find, organisation, kind, most)
}
