package blehttp

import (
	"context"
	"strconv"
	"time"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// Columns is many fixes, column by column; the i-th of each makes the i-th fix.
type Columns struct {
	Tag       []int     `json:"tag" nullable:"false" doc:"Index into tags"`
	At        []int64   `json:"at" nullable:"false" doc:"Milliseconds since 1970, UTC"`
	X         []float32 `json:"x_m" nullable:"false"`
	Y         []float32 `json:"y_m" nullable:"false"`
	AccuracyM []float32 `json:"accuracy_m" nullable:"false" doc:"Radius that holds the tag with 68 %"`
	Zone      []int     `json:"zone" nullable:"false" doc:"Index into zones; -1 is outside of all"`
	ValidMs   []uint32  `json:"valid_for_ms" nullable:"false" doc:"How long the tag was there"`
}

// TrackTag is a tag of tracks.
type TrackTag struct {
	Tag  schema.TagID `json:"tag" format:"uuid"`
	Name string       `json:"name"`
	Type string       `json:"type"`
}

// Tracks is a page of fixes by time and tag.
type Tracks struct {
	Plan  schema.PlanID `json:"plan" format:"uuid"`
	From  time.Time     `json:"from"`
	To    time.Time     `json:"to"`
	Tags  []TrackTag    `json:"tags" nullable:"false"`
	Zones []ZoneRef     `json:"zones" nullable:"false"`
	Fixes Columns       `json:"fixes"`
	Next  string        `json:"next" doc:"The cursor of the next page, empty at the end"`
}

type tracksInput struct {
	Past
	StepMs int    `query:"step_ms" minimum:"0" maximum:"3600000" default:"0" doc:"Only the last fix of each tag in each stretch of that length; 0 is all"`
	Limit  int    `query:"limit" minimum:"1" maximum:"20000" default:"20000"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next of the page before"`
}

type tracksOutput struct{ Body Tracks }

func (r *routes) tracks(ctx context.Context, in *tracksInput) (*tracksOutput, error) {
	if in.Plan == "" {
		return nil, schema.Errorf(schema.Invalid, "plan", "name the plan")
	}
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found, err := r.module.Analytics().Tracks(ctx, &q.Query, time.Duration(in.StepMs)*time.Millisecond, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &tracksOutput{Tracks{Plan: q.Plan, From: q.From.UTC(), To: q.To.UTC()}}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		last := found[in.Limit-1]
		out.Body.Next = shell.EncodeCursor(postgres.Cursor{Key: strconv.FormatInt(int64(last.At), 10), ID: last.Tag.String()})
	}
	return out, r.fillTracks(ctx, &q, &out.Body, found)
}

func (in *tracksInput) after() (*analytics.FixMark, error) {
	page, err := (&shell.PageInput{Cursor: in.Cursor}).Page()
	if err != nil || in.Cursor == "" {
		return nil, err
	}
	at, err := strconv.ParseInt(page.After.Key, 10, 64)
	if err != nil {
		return nil, schema.Errorf(schema.Invalid, "cursor", "is not what next said")
	}
	tag, err := schema.ParseID[schema.TagID](page.After.ID)
	return &analytics.FixMark{At: schema.EventTime(at), Tag: tag}, err
}

func (r *routes) fillTracks(ctx context.Context, q *question, to *Tracks, found []analytics.Fix) error {
	tags, zones := numbers[schema.TagID]{}, numbers[schema.ZoneID]{}
	n := len(found)
	to.Fixes = Columns{
		Tag: make([]int, 0, n), At: make([]int64, 0, n), X: make([]float32, 0, n), Y: make([]float32, 0, n),
		AccuracyM: make([]float32, 0, n), Zone: make([]int, 0, n), ValidMs: make([]uint32, 0, n),
	}
	c := &to.Fixes
	for _, f := range found {
		zone := -1
		if !f.Zone.IsZero() {
			zone = zones.of(f.Zone)
		}
		c.Tag, c.At = append(c.Tag, tags.of(f.Tag)), append(c.At, int64(f.At))
		c.X, c.Y, c.AccuracyM = append(c.X, f.X), append(c.Y, f.Y), append(c.AccuracyM, f.Radius)
		c.Zone, c.ValidMs = append(c.Zone, zone), append(c.ValidMs, f.ValidMs)
	}
	labels, err := r.labelled(ctx, q, zones.ids, tags.ids)
	if err != nil {
		return err
	}
	to.Tags = make([]TrackTag, len(tags.ids))
	for i, id := range tags.ids {
		to.Tags[i] = TrackTag{Tag: id, Name: labels.Tags[id].Name, Type: labels.Tags[id].Type}
	}
	to.Zones, err = r.zoneRefs(ctx, q, zones.ids)
	return err
}

// numbers numbers ids as they come.
type numbers[I comparable] struct {
	ids   []I
	index map[I]int
}

func (n *numbers[I]) of(id I) int {
	at, known := n.index[id]
	if !known {
		if n.index == nil {
			n.index = map[I]int{}
		}
		at = len(n.ids)
		n.index[id], n.ids = at, append(n.ids, id)
	}
	return at
}
