package blehttp

import (
	"context"
	"time"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Figures is a time in a few figures.
type Figures struct {
	From          time.Time         `json:"from"`
	To            time.Time         `json:"to"`
	Visits        uint64            `json:"visits" doc:"That touch the time; one to a part of a zone is not one more"`
	Tags          uint64            `json:"tags"`
	DwellMedianS  float64           `json:"dwell_median_s" doc:"Of visits, each with its part within the time"`
	DwellMeanS    float64           `json:"dwell_mean_s"`
	DwellTotalS   float64           `json:"dwell_total_s"`
	PeakOccupancy uint64            `json:"peak_occupancy" doc:"Tags in zones at once"`
	FirstIn       *schema.EventTime `json:"first_in" format:"date-time" doc:"The first entry within the time"`
	LastOut       *schema.EventTime `json:"last_out" format:"date-time" doc:"The last end of a visit within the time"`
}

// Summary is a time beside another.
type Summary struct {
	Figures
	Compare *Figures `json:"compare" doc:"null unless asked for"`
}

type summaryInput struct {
	Past
	Compare string `query:"compare" enum:"previous,week,year" doc:"With the time before that is as long, or the same days a week or a year earlier"`
}

type summaryOutput struct{ Body Summary }

func (r *routes) summary(ctx context.Context, in *summaryInput) (*summaryOutput, error) {
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	out := &summaryOutput{}
	if out.Body.Figures, err = r.figures(ctx, &q.Query); err != nil || in.Compare == "" {
		return out, err
	}
	other := q.Query
	other.From, other.To = compared(in.Compare, q.From.In(q.In), q.To.In(q.In))
	figures, err := r.figures(ctx, &other)
	out.Body.Compare = &figures
	return out, err
}

// compared returns the time to compare with. Days are moved by the calendar, so that
// they begin at midnight also across a change of the clocks.
func compared(with string, from, to time.Time) (time.Time, time.Time) {
	switch with {
	case "week":
		return from.AddDate(0, 0, -7), to.AddDate(0, 0, -7)
	case "year":
		return from.AddDate(-1, 0, 0), to.AddDate(-1, 0, 0)
	}
	if midnight(from) && midnight(to) {
		days := int(to.Sub(from).Round(24*time.Hour).Hours() / 24)
		return from.AddDate(0, 0, -days), from
	}
	return from.Add(-to.Sub(from)), from
}

func midnight(t time.Time) bool {
	return t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0
}

func (r *routes) figures(ctx context.Context, q *analytics.Query) (Figures, error) {
	s, err := r.module.Analytics().Summary(ctx, q)
	f := Figures{
		From: q.From.UTC(), To: q.To.UTC(), Visits: s.Visits, Tags: s.Tags, PeakOccupancy: s.Peak,
		DwellMedianS: s.MedianMs / 1000, DwellMeanS: s.MeanMs / 1000, DwellTotalS: secondsOf(s.TotalMs),
	}
	if !s.FirstIn.IsZero() {
		f.FirstIn = &s.FirstIn
	}
	if !s.LastOut.IsZero() {
		f.LastOut = &s.LastOut
	}
	return f, err
}

// DwellRow is one sum; it has the keys that it was added up by.
type DwellRow struct {
	Zone       *schema.ZoneID `json:"zone,omitempty" format:"uuid" doc:"Left out of a row that is of the time outside of all zones"`
	ZoneName   string         `json:"zone_name,omitempty"`
	ZoneNumber int            `json:"zone_number,omitempty"`
	Parent     *schema.ZoneID `json:"parent,omitempty" format:"uuid" doc:"The row of this zone has the time of this row too"`
	Outside    bool           `json:"outside,omitempty" doc:"The row is of the time in which tags were heard outside of all zones"`
	Tag        *schema.TagID  `json:"tag,omitempty" format:"uuid"`
	TagName    string         `json:"tag_name,omitempty"`
	Type       string         `json:"type,omitempty"`
	Day        string         `json:"day,omitempty" example:"2026-01-31"`
	Weekday    uint8          `json:"weekday,omitempty" doc:"1 is Monday"`
	Hour       *uint8         `json:"hour,omitempty" doc:"0 to 23"`
	DwellS     float64        `json:"dwell_s" doc:"In the zone, or in all of them; in a row of the outside, there"`
	OutsideS   float64        `json:"outside_s" doc:"Heard outside of all zones; 0 where zones stand side by side or are named"`
	Visits     uint64         `json:"visits" doc:"That touch the row's time"`
	Tags       uint64         `json:"tags"`
}

type dwellInput struct {
	Past
	By    string `query:"by" enum:"zone,tag,tag_zone,hour,weekday,day,hour_weekday" default:"zone"`
	Limit int    `query:"limit" minimum:"1" maximum:"50000" default:"10000" doc:"Rows, the longest dwell first; ways by time are in their order"`
}

// Rows is all of an answer that has no pages.
type Rows[T any] struct {
	Items []T `json:"items" nullable:"false"`
	Total int `json:"total" doc:"How many rows there are, also beyond limit"`
}

type rowsOutput[T any] struct{ Body Rows[T] }

func (r *routes) dwell(ctx context.Context, in *dwellInput) (*rowsOutput[DwellRow], error) {
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	by := analytics.By(in.By)
	found, err := r.module.Analytics().Dwell(ctx, &q.Query, by)
	if err != nil {
		return nil, err
	}
	out := &rowsOutput[DwellRow]{Rows[DwellRow]{Total: len(found)}}
	found = found[:min(len(found), in.Limit)]
	out.Body.Items, err = r.dwellRows(ctx, &q, by, found)
	return out, err
}

func (r *routes) dwellRows(ctx context.Context, q *question, by analytics.By, found []analytics.Dwell) ([]DwellRow, error) {
	var zones []schema.ZoneID
	var tags []schema.TagID
	for i := range found {
		zones = append(zones, found[i].Zone)
		if !found[i].Tag.IsZero() {
			tags = append(tags, found[i].Tag)
		}
	}
	labels, err := r.labelled(ctx, q, zones, tags)
	if err != nil {
		return nil, err
	}
	rows := make([]DwellRow, len(found))
	for i := range found {
		d := &found[i]
		row := DwellRow{Zone: zoneRef(d.Zone), Day: d.Day, Weekday: d.Weekday, DwellS: secondsOf(d.ZonesMs), OutsideS: secondsOf(d.OutsideMs), Visits: d.Visits, Tags: d.Tags}
		zone := labels.Zones[d.Zone]
		row.ZoneName, row.ZoneNumber, row.Parent = zone.Name, zone.Number, zoneRef(zone.Parent)
		if by == analytics.ByHour || by == analytics.ByHourWeekday {
			row.Hour = &d.Hour
		}
		if !d.Tag.IsZero() {
			row.Tag, row.TagName, row.Type = &d.Tag, labels.Tags[d.Tag].Name, labels.Tags[d.Tag].Type
		}
		if row.Outside = d.Zone.IsZero() && (by == analytics.ByZone || by == analytics.ByTagZone); row.Outside {
			row.DwellS, row.OutsideS = secondsOf(d.OutsideMs), 0
		}
		rows[i] = row
	}
	return rows, nil
}

// PresenceRow is one tag's day.
type PresenceRow struct {
	Tag      schema.TagID     `json:"tag" format:"uuid"`
	TagName  string           `json:"tag_name"`
	Type     string           `json:"type"`
	Day      string           `json:"day" example:"2026-01-31"`
	FirstIn  schema.EventTime `json:"first_in" format:"date-time"`
	LastOut  schema.EventTime `json:"last_out" format:"date-time" doc:"While it is still there: when it was heard last"`
	PresentS float64          `json:"present_s" doc:"In zones and heard outside; with zones named, in these"`
	OutsideS float64          `json:"outside_s" doc:"Of it outside of all zones"`
	StillIn  bool             `json:"still_in" doc:"A visit is open"`
}

type presenceInput struct {
	Past
	shell.PageInput
}

func (r *routes) presence(ctx context.Context, in *presenceInput) (*shell.ListOutput[PresenceRow], error) {
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	var after *analytics.Presence
	if page.After != (postgres.Cursor{}) {
		after = &analytics.Presence{Day: page.After.Key}
		if _, err = time.Parse(time.DateOnly, after.Day); err == nil {
			after.Tag, err = schema.ParseID[schema.TagID](page.After.ID)
		}
		if err != nil {
			return nil, schema.Errorf(schema.Invalid, "cursor", "is not what next said")
		}
	}
	found, err := r.module.Analytics().Presences(ctx, &q.Query, after, page.Limit+1)
	if err != nil {
		return nil, err
	}
	var next postgres.Cursor
	if len(found) > page.Limit {
		found = found[:page.Limit]
		last := found[page.Limit-1]
		next = postgres.Cursor{Key: last.Day, ID: last.Tag.String()}
	}
	tags := make([]schema.TagID, len(found))
	for i := range found {
		tags[i] = found[i].Tag
	}
	labels, err := r.labelled(ctx, &q, nil, tags)
	return shell.Paged(&in.PageInput, found, next, func(p analytics.Presence) PresenceRow {
		return PresenceRow{
			Tag: p.Tag, TagName: labels.Tags[p.Tag].Name, Type: labels.Tags[p.Tag].Type, Day: p.Day, FirstIn: p.First, LastOut: p.Last,
			PresentS: secondsOf(p.ZonesMs + p.OutMs), OutsideS: secondsOf(p.OutMs), StillIn: p.StillIn,
		}
	}), err
}
