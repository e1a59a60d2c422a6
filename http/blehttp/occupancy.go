package blehttp

import (
	"context"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/modules/ble/analytics"
	"mybeacon/schema"
)

// OccupancyPoint is how full a zone was in a step: [beginning, mean, most]. It is an
// array because there are thousands.
type OccupancyPoint analytics.Point

// MarshalJSON implements json.Marshaler.
func (p OccupancyPoint) MarshalJSON() ([]byte, error) {
	return json.Marshal([3]any{time.UnixMilli(p.At).UTC(), p.Mean, p.Most})
}

// Schema implements huma.SchemaProvider.
func (OccupancyPoint) Schema(huma.Registry) *huma.Schema {
	three := 3
	return &huma.Schema{
		Type: huma.TypeArray, MinItems: &three, MaxItems: &three,
		Description: "[beginning of the step, RFC 3339; tags on average; tags at once at most]",
		Items:       &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString, Format: "date-time"}, {Type: huma.TypeNumber}}},
	}
}

// ZoneOccupancy is how full one zone was.
type ZoneOccupancy struct {
	Zone       schema.ZoneID    `json:"zone" format:"uuid"`
	ZoneName   string           `json:"zone_name"`
	ZoneNumber int              `json:"zone_number"`
	Color      string           `json:"color"`
	Parent     *schema.ZoneID   `json:"parent" format:"uuid"`
	Points     []OccupancyPoint `json:"points" nullable:"false" doc:"By time; steps in which nobody was there are left out"`
}

// Occupancy is how full zones were.
type Occupancy struct {
	StepS int             `json:"step_s"`
	From  time.Time       `json:"from"`
	To    time.Time       `json:"to"`
	Zones []ZoneOccupancy `json:"zones" nullable:"false"`
}

type occupancyInput struct {
	Past
	Step string `query:"step" enum:"5m,15m,1h,1d" default:"1h" doc:"Days begin at local midnight"`
}

type occupancyOutput struct{ Body Occupancy }

func (r *routes) occupancy(ctx context.Context, in *occupancyInput) (*occupancyOutput, error) {
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	step := map[string]time.Duration{"5m": analytics.FiveMinutes, "15m": analytics.Quarter, "1h": analytics.Hour, "1d": analytics.Day}[in.Step]
	points, err := r.module.Analytics().Occupancy(ctx, &q.Query, step)
	if err != nil {
		return nil, err
	}
	out := &occupancyOutput{Occupancy{StepS: int(step.Seconds()), From: q.From.UTC(), To: q.To.UTC(), Zones: []ZoneOccupancy{}}}
	for i, p := range points {
		if i == 0 || points[i-1].Zone != p.Zone {
			out.Body.Zones = append(out.Body.Zones, ZoneOccupancy{Zone: p.Zone})
		}
		last := &out.Body.Zones[len(out.Body.Zones)-1]
		last.Points = append(last.Points, OccupancyPoint(p))
	}
	ids := make([]schema.ZoneID, len(out.Body.Zones))
	for i := range ids {
		ids[i] = out.Body.Zones[i].Zone
	}
	labels, err := r.labelled(ctx, &q, ids, nil)
	for i := range out.Body.Zones {
		z := &out.Body.Zones[i]
		label := labels.Zones[z.Zone]
		z.ZoneName, z.ZoneNumber, z.Color, z.Parent = label.Name, label.Number, label.Color, zoneRef(label.Parent)
	}
	return out, err
}

// ZoneNow is who is in a zone.
type ZoneNow struct {
	Zone       schema.ZoneID  `json:"zone" format:"uuid"`
	ZoneName   string         `json:"zone_name"`
	ZoneNumber int            `json:"zone_number"`
	Parent     *schema.ZoneID `json:"parent" format:"uuid"`
	Count      int            `json:"count" doc:"Tags in it, also those in its parts"`
	Tags       []schema.TagID `json:"tags" nullable:"false"`
}

func (r *routes) occupancyNow(ctx context.Context, in *Past) (*rowsOutput[ZoneNow], error) {
	q, err := r.question(ctx, in)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	found, err := r.module.Analytics().Now(ctx, &q.Query)
	if err != nil {
		return nil, err
	}
	ids := make([]schema.ZoneID, len(found))
	for i := range found {
		ids[i] = found[i].Zone
	}
	labels, err := r.labelled(ctx, &q, ids, nil)
	out := &rowsOutput[ZoneNow]{Rows[ZoneNow]{Items: make([]ZoneNow, len(found)), Total: len(found)}}
	for i, n := range found {
		label := labels.Zones[n.Zone]
		out.Body.Items[i] = ZoneNow{Zone: n.Zone, ZoneName: label.Name, ZoneNumber: label.Number, Parent: zoneRef(label.Parent), Count: len(n.Tags), Tags: n.Tags}
	}
	return out, err
}
