package blehttp

import (
	"context"
	"strconv"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Stay is a stretch of a tag's time in one place.
type Stay struct {
	Zone     *schema.ZoneID   `json:"zone" format:"uuid" doc:"null: outside of all zones"`
	ZoneName string           `json:"zone_name"`
	Color    string           `json:"color"`
	Plan     schema.PlanID    `json:"plan" format:"uuid"`
	From     schema.EventTime `json:"from" format:"date-time"`
	To       schema.EventTime `json:"to" format:"date-time" doc:"Of an open stay: when the tag was heard last"`
	Open     bool             `json:"open"`
}

// Timeline is one tag's time.
type Timeline struct {
	Tag     schema.TagID `json:"tag" format:"uuid"`
	TagName string       `json:"tag_name"`
	Stays   []Stay       `json:"stays" nullable:"false" doc:"By time; between them the tag was not heard"`
}

type timelineInput struct {
	Past
	Day string `query:"day" maxLength:"10" doc:"A date: instead of from and to"`
}

type timelineOutput struct{ Body Timeline }

func (r *routes) timeline(ctx context.Context, in *timelineInput) (*timelineOutput, error) {
	if len(in.Tag) != 1 {
		return nil, schema.Errorf(schema.Invalid, "tag", "name one tag")
	}
	if in.Day != "" {
		in.From, in.To = in.Day, in.Day
	}
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	found, err := r.module.Analytics().Timeline(ctx, &q.Query)
	if err != nil {
		return nil, err
	}
	zones := make([]schema.ZoneID, len(found))
	for i := range found {
		zones[i] = found[i].Zone
	}
	tag, err := schema.ParseID[schema.TagID](in.Tag[0])
	if err != nil {
		return nil, err
	}
	labels, err := r.labelled(ctx, &q, zones, []schema.TagID{tag})
	out := &timelineOutput{Timeline{Tag: tag, TagName: labels.Tags[tag].Name, Stays: make([]Stay, len(found))}}
	for i, y := range found {
		label := labels.Zones[y.Zone]
		out.Body.Stays[i] = Stay{Zone: zoneRef(y.Zone), ZoneName: label.Name, Color: label.Color, Plan: y.Plan, From: y.From, To: y.To, Open: y.Open}
	}
	return out, err
}

// Event is an entry into a zone or an exit.
type Event struct {
	At       schema.EventTime `json:"at" format:"date-time"`
	Kind     string           `json:"kind" enum:"enter,leave"`
	VisitID  schema.VisitID   `json:"visit_id" format:"uuid"`
	Tag      schema.TagID     `json:"tag" format:"uuid"`
	TagName  string           `json:"tag_name"`
	Plan     schema.PlanID    `json:"plan" format:"uuid"`
	Zone     schema.ZoneID    `json:"zone" format:"uuid"`
	ZoneName string           `json:"zone_name"`
}

type eventsInput struct {
	Past
	shell.PageInput
	Kind string `query:"kind" enum:"enter,leave" doc:"Only these"`
}

func (r *routes) events(ctx context.Context, in *eventsInput) (*shell.ListOutput[Event], error) {
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	after, err := eventMark(page.After)
	if err != nil {
		return nil, err
	}
	kinds := analytics.EventKinds{Enter: in.Kind != "leave", Leave: in.Kind != "enter"}
	found, err := r.module.Analytics().Events(ctx, &q.Query, kinds, after, page.Limit+1)
	if err != nil {
		return nil, err
	}
	var next postgres.Cursor
	if len(found) > page.Limit {
		found = found[:page.Limit]
		next = eventCursor(&found[page.Limit-1])
	}
	zones, tags := make([]schema.ZoneID, len(found)), make([]schema.TagID, len(found))
	for i := range found {
		zones[i], tags[i] = found[i].Zone, found[i].Tag
	}
	labels, err := r.labelled(ctx, &q, zones, tags)
	return shell.Paged(&in.PageInput, found, next, func(e analytics.Event) Event {
		return Event{
			At: e.At, Kind: map[bool]string{true: "leave", false: "enter"}[e.Leave], VisitID: e.Visit, Tag: e.Tag, TagName: labels.Tags[e.Tag].Name,
			Plan: e.Plan, Zone: e.Zone, ZoneName: labels.Zones[e.Zone].Name,
		}
	}), err
}

// eventCursor writes a place in the order down: twice the time, and one more for an
// entry, which comes after exits.
func eventCursor(e *analytics.Event) postgres.Cursor {
	key := 2 * int64(e.At)
	if !e.Leave {
		key++
	}
	return postgres.Cursor{Key: strconv.FormatInt(key, 10), ID: e.Visit.String()}
}

func eventMark(c postgres.Cursor) (*analytics.Event, error) {
	m, err := visitMark(c)
	if m == nil || err != nil {
		return nil, err
	}
	return &analytics.Event{At: m.Entered, Leave: !m.Part, Visit: m.ID}, nil
}
