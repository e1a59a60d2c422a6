package blehttp

import (
	"context"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Visit is a stay of a tag in a zone.
type Visit struct {
	VisitID    schema.VisitID    `json:"visit_id" format:"uuid"`
	Tag        schema.TagID      `json:"tag" format:"uuid"`
	TagName    string            `json:"tag_name" doc:"As it is called now, or was last"`
	Type       string            `json:"type" doc:"The tag's, now; empty when it is deleted"`
	Location   schema.LocationID `json:"location" format:"uuid"`
	Plan       schema.PlanID     `json:"plan" format:"uuid"`
	Zone       schema.ZoneID     `json:"zone" format:"uuid"`
	ZoneNumber int               `json:"zone_number" doc:"0: the zone is deleted"`
	ZoneName   string            `json:"zone_name" doc:"As it is called now, or was last"`
	Parent     *schema.ZoneID    `json:"parent" format:"uuid" doc:"The zone that this one is a part of: a visit to it goes on meanwhile"`
	EnteredAt  schema.EventTime  `json:"entered_at" format:"date-time"`
	LeftAt     *schema.EventTime `json:"left_at" format:"date-time" doc:"null: the visit is open"`
	DwellS     float64           `json:"dwell_s" doc:"Of the whole visit; of an open one to the tag's last fix"`
	WithinS    float64           `json:"within_s" doc:"Of it within the time asked for: what sums are made of"`
	Open       bool              `json:"open"`
}

func visitOf(v *analytics.Visit, location schema.LocationID, l *ble.Labels) Visit {
	zone, tag := l.Zones[v.Zone], l.Tags[v.Tag]
	out := Visit{
		VisitID: v.ID, Tag: v.Tag, TagName: tag.Name, Type: tag.Type, Location: location, Plan: v.Plan,
		Zone: v.Zone, ZoneNumber: zone.Number, ZoneName: zone.Name, Parent: zoneRef(v.Parent),
		EnteredAt: v.Entered, DwellS: secondsOf(int64(v.Until - v.Entered)), WithinS: secondsOf(v.Within), Open: v.Open,
	}
	if !v.Open {
		out.LeftAt = &v.Until
	}
	return out
}

type visitList struct {
	Past
	shell.PageInput
	shell.FormatInput
	MinS  float64 `query:"min_s" minimum:"0" maximum:"100000000" doc:"Only visits that took so many seconds at least"`
	Open  string  `query:"open" enum:"true,false" doc:"Only visits that go on, or only those that have ended"`
	Order string  `query:"order" enum:"oldest,newest" default:"oldest" doc:"Which come first, by entry"`
}

func (in *visitList) filter() analytics.VisitFilter {
	f := analytics.VisitFilter{LeastMs: int64(in.MinS * 1000), Newest: in.Order == "newest"}
	if in.Open != "" {
		open := in.Open == "true"
		f.Open = &open
	}
	return f
}

func (r *routes) visits(s *shell.Server, get func(id, path, summary string) huma.Operation) {
	op := get("list-ble-visits", "/visits", "List stays of tags in zones")
	op.Middlewares = huma.Middlewares{s.Downloadable("ble/visits")}
	shell.Route(s, r.viewer, op, r.listVisits)
}

func (r *routes) listVisits(ctx context.Context, in *visitList) (*shell.ListOutput[Visit], error) {
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	after, err := visitMark(page.After)
	if err != nil {
		return nil, err
	}
	found, err := r.module.Analytics().Visits(ctx, &q.Query, in.filter(), after, page.Limit+1)
	if err != nil {
		return nil, err
	}
	var next postgres.Cursor
	if len(found) > page.Limit {
		found = found[:page.Limit]
		next = visitCursor(found[page.Limit-1].Mark())
	}
	labels, err := r.labelVisits(ctx, &q, found)
	return shell.Paged(&in.PageInput, found, next, func(v analytics.Visit) Visit { return visitOf(&v, q.Location, &labels) }), err
}

func (r *routes) labelVisits(ctx context.Context, q *question, visits []analytics.Visit) (ble.Labels, error) {
	zones, tags := make([]schema.ZoneID, len(visits)), make([]schema.TagID, len(visits))
	for i := range visits {
		zones[i], tags[i] = visits[i].Zone, visits[i].Tag
	}
	return r.labelled(ctx, q, zones, tags)
}

// visitCursor writes a place in the order down: twice the time, and one more for a part.
func visitCursor(m analytics.VisitMark) postgres.Cursor {
	key := 2 * int64(m.Entered)
	if m.Part {
		key++
	}
	return postgres.Cursor{Key: strconv.FormatInt(key, 10), ID: m.ID.String()}
}

func visitMark(c postgres.Cursor) (*analytics.VisitMark, error) {
	if c == (postgres.Cursor{}) {
		return nil, nil
	}
	key, err := strconv.ParseInt(c.Key, 10, 64)
	if err != nil {
		return nil, schema.Errorf(schema.Invalid, "cursor", "is not what next said")
	}
	m := analytics.VisitMark{Entered: schema.EventTime(key >> 1), Part: key&1 == 1}
	m.ID, err = schema.ParseID[schema.VisitID](c.ID)
	return &m, err
}
