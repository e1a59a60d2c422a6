package blehttp

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble"
	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Past is what all questions about the past have in common. It is exported because
// huma reads embedded inputs only then.
type Past struct {
	Location string   `query:"location" format:"uuid" doc:"Required unless a plan is named"`
	Plan     string   `query:"plan" format:"uuid" doc:"Only this plan"`
	Zone     []string `query:"zone,explode" maxItems:"1000" doc:"Only these zones; may be repeated"`
	Tag      []string `query:"tag,explode" maxItems:"5000" doc:"Only these tags; may be repeated"`
	Type     string   `query:"type" enum:"person,asset,vehicle" doc:"Only tags that are of this type now"`
	From     string   `query:"from" maxLength:"40" doc:"RFC 3339, or a date: the day's beginning. Without: the beginning of today"`
	To       string   `query:"to" maxLength:"40" doc:"RFC 3339, not included, or a date: the day's end. Without: now"`
	TZ       string   `query:"tz" maxLength:"64" doc:"IANA name of the time zone whose days and hours count; by default the location's"`
}

// question is what was asked, looked up.
type question struct {
	analytics.Query
	scene ble.Scene
	leave func() // gives its place back; must be called
}

// The bounds of questions that are asked of the warehouse at once: a page asks some
// five, so they wait a little for one another.
const (
	questionsOfOne = 4
	questionsOfAll = 8
	questionWait   = 5 * time.Second
)

// question looks up what the input names, and takes a place among the questions of the
// organisation, or is TooMany. Whose past it is stands in the log also when there was
// nothing to see.
func (r *routes) question(ctx context.Context, in *Past) (question, error) {
	q, err := r.questionOf(ctx, shell.PrincipalOf(ctx).Scope(), in)
	shell.Saw(ctx, q.Organisation)
	if err == nil {
		q.leave, err = r.questions.Wait(ctx, q.Organisation, questionWait)
	}
	return q, err
}

func (r *routes) questionOf(ctx context.Context, scope postgres.Scope, in *Past) (question, error) {
	subject, err := in.subject()
	if err != nil {
		return question{}, err
	}
	var q question
	if q.Query, q.scene, err = r.module.About(ctx, scope, subject); err != nil {
		return q, err
	}
	if q.In, err = in.zone(q.scene); err != nil {
		return q, err
	}
	if err := in.times(&q.Query, time.Now()); err != nil {
		return q, err
	}
	return q, q.Check()
}

func (in *Past) subject() (ble.Subject, error) {
	s := ble.Subject{Type: in.Type}
	var err error
	if in.Location != "" {
		if s.Location, err = shell.ParseID[schema.LocationID](in.Location); err != nil {
			return s, err
		}
	}
	if in.Plan != "" {
		if s.Plan, err = shell.ParseID[schema.PlanID](in.Plan); err != nil {
			return s, err
		}
	}
	if s.Zones, err = parseIDs[schema.ZoneID](in.Zone); err != nil {
		return s, err
	}
	s.Tags, err = parseIDs[schema.TagID](in.Tag)
	return s, err
}

// parseIDs reads ids, each once.
func parseIDs[I interface {
	~[16]byte
	comparable
}](texts []string) ([]I, error) {
	var ids []I
	for _, text := range texts {
		id, err := shell.ParseID[I](text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (in *Past) zone(scene ble.Scene) (*time.Location, error) {
	name := in.TZ
	if name == "" {
		name = scene.Location.TimeZone
	}
	if _, err := shell.CheckTimeZone(name); err != nil {
		return nil, schema.Errorf(schema.Invalid, "tz", "%.60q is not a time zone such as Europe/Moscow", name)
	}
	return time.LoadLocation(name)
}

func (in *Past) times(q *analytics.Query, now time.Time) error {
	today := now.In(q.In)
	q.From = time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, q.In)
	q.To = now
	if in.From != "" {
		var err error
		if _, q.From, err = moment("from", in.From, q.In); err != nil {
			return err
		}
	}
	if in.To != "" {
		day, at, err := moment("to", in.To, q.In)
		if err != nil {
			return err
		}
		if q.To = at; day {
			q.To = time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, q.In)
		}
	}
	return nil
}

// moment reads a time, or a date as that day's beginning.
func moment(field, text string, in *time.Location) (day bool, at time.Time, err error) {
	if at, err = time.ParseInLocation(time.DateOnly, text, in); err == nil {
		day = true
	} else {
		at, err = time.Parse(time.RFC3339, text)
	}
	if err != nil || at.Year() < 1971 || at.Year() > 2200 {
		return day, at, schema.Errorf(schema.Invalid, field, "%.40q is neither a time such as 2026-01-31T12:00:00Z nor a date such as 2026-01-31", text)
	}
	return day, at, nil
}

// pasts registers the questions about the past.
func (r *routes) pasts(s *shell.Server) {
	tags := []string{"ble analytics"}
	get := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: root + path, Tags: tags, Summary: summary}
	}
	r.visits(s, get)
	shell.Route(s, r.viewer, get("get-ble-summary", "/summary", "A time in a few figures, beside another time"), r.summary)
	shell.Route(s, r.viewer, get("get-ble-dwell", "/dwell", "Who stayed how long, added up"), r.dwell)
	shell.Route(s, r.viewer, get("get-ble-occupancy", "/occupancy", "How full zones were over time"), r.occupancy)
	shell.Route(s, r.viewer, get("get-ble-occupancy-now", "/occupancy/now", "Who is in which zone"), r.occupancyNow)
	shell.Route(s, r.viewer, get("list-ble-presence", "/presence", "First in and last out, by tag and day"), r.presence)
	shell.Route(s, r.viewer, get("get-ble-heatmap", "/heatmap", "Where on a plan tags dwelt"), r.heatmap)
	shell.Route(s, r.viewer, get("get-ble-routes", "/routes", "How often tags went from zone to zone"), r.links)
	shell.Route(s, r.viewer, get("get-ble-route-paths", "/routes/paths", "The commonest ways through several zones"), r.paths)
	shell.Route(s, r.viewer, get("list-ble-tracks", "/tracks", "Where tags were, fix by fix, for playback"), r.tracks)
	shell.Route(s, r.viewer, get("get-ble-timeline", "/timeline", "One tag's time, place by place"), r.timeline)
	shell.Route(s, r.viewer, get("list-ble-events", "/events", "Entries into zones and exits"), r.events)
}

// labelled looks up names of what an answer has.
func (r *routes) labelled(ctx context.Context, q *question, zones []schema.ZoneID, tags []schema.TagID) (ble.Labels, error) {
	return r.module.Label(ctx, q.scene, zones, tags)
}

// zoneRef is a zone of an answer; nil is outside of all.
func zoneRef(id schema.ZoneID) *schema.ZoneID {
	if id.IsZero() {
		return nil
	}
	return &id
}

func secondsOf(ms int64) float64 { return float64(ms) / 1000 }
