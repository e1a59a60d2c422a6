package blehttp

import (
	"context"
	"time"

	"mybeacon/schema"
)

// ZoneRef names a zone of a way.
type ZoneRef struct {
	Zone   schema.ZoneID `json:"zone" format:"uuid"`
	Name   string        `json:"name"`
	Number int           `json:"number" doc:"0: the zone is deleted"`
	Color  string        `json:"color"`
}

// Link is how often tags went from one zone to another.
type Link struct {
	From  *schema.ZoneID `json:"from" format:"uuid" doc:"null: from outside"`
	To    *schema.ZoneID `json:"to" format:"uuid" doc:"null: to the outside"`
	Count uint64         `json:"count"`
	Tags  uint64         `json:"tags"`
}

// Links is a flow diagram.
type Links struct {
	Links []Link    `json:"links" nullable:"false" doc:"The commonest first"`
	Zones []ZoneRef `json:"zones" nullable:"false" doc:"Those that links name"`
}

// Through is embedded in questions about ways.
type Through struct {
	ThroughS int `query:"through_s" minimum:"0" maximum:"3600" default:"60" doc:"A tag that is outside zones for no longer than this between two zones goes from one to the other; else it goes outside and comes from there"`
}

func (t *Through) duration() time.Duration { return time.Duration(t.ThroughS) * time.Second }

type linksInput struct {
	Past
	Through
}

type linksOutput struct{ Body Links }

func (r *routes) links(ctx context.Context, in *linksInput) (*linksOutput, error) {
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	found, err := r.module.Analytics().Links(ctx, &q.Query, in.duration())
	if err != nil {
		return nil, err
	}
	out := &linksOutput{Links{Links: make([]Link, len(found))}}
	var ids []schema.ZoneID
	for i, l := range found {
		out.Body.Links[i] = Link{From: zoneRef(l.From), To: zoneRef(l.To), Count: l.Count, Tags: l.Tags}
		ids = append(ids, l.From, l.To)
	}
	out.Body.Zones, err = r.zoneRefs(ctx, &q, ids)
	return out, err
}

// zoneRefs returns the zones, each once, in the order in which they are named first.
func (r *routes) zoneRefs(ctx context.Context, q *question, ids []schema.ZoneID) ([]ZoneRef, error) {
	labels, err := r.labelled(ctx, q, ids, nil)
	seen := map[schema.ZoneID]bool{{}: true}
	out := []ZoneRef{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			label := labels.Zones[id]
			out = append(out, ZoneRef{Zone: id, Name: label.Name, Number: label.Number, Color: label.Color})
		}
	}
	return out, err
}

// Path is a way through zones.
type Path struct {
	Zones []schema.ZoneID `json:"zones" nullable:"false" doc:"In the order in which they were entered"`
	Names []string        `json:"names" nullable:"false"`
	Count uint64          `json:"count"`
	Tags  uint64          `json:"tags"`
}

type pathsInput struct {
	Past
	Through
	Depth int `query:"depth" minimum:"2" maximum:"8" default:"3" doc:"Zones of a way"`
	Limit int `query:"limit" minimum:"1" maximum:"5000" default:"200"`
}

func (r *routes) paths(ctx context.Context, in *pathsInput) (*rowsOutput[Path], error) {
	q, err := r.question(ctx, &in.Past)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	found, err := r.module.Analytics().Paths(ctx, &q.Query, in.duration(), in.Depth)
	if err != nil {
		return nil, err
	}
	out := &rowsOutput[Path]{Rows[Path]{Items: []Path{}, Total: len(found)}}
	found = found[:min(len(found), in.Limit)]
	var ids []schema.ZoneID
	for _, p := range found {
		ids = append(ids, p.Zones...)
	}
	labels, err := r.labelled(ctx, &q, ids, nil)
	for _, p := range found {
		names := make([]string, len(p.Zones))
		for i, id := range p.Zones {
			names[i] = labels.Zones[id].Name
		}
		out.Body.Items = append(out.Body.Items, Path{Zones: p.Zones, Names: names, Count: p.Count, Tags: p.Tags})
	}
	return out, err
}
