package locate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/golang/geo/r2"

	"mybeacon/bench/recording"
	"mybeacon/geometry/fence"
	"mybeacon/schema"
)

// maxGap is the time between two true positions across which a tag is taken to
// have gone straight: at walking pace it cannot have turned a corner and come
// back.
const maxGap = 3 * time.Second

// truth is what is known of a site's tracks.
type truth struct {
	tracks map[string]*course
	zones  *fence.Index
	some   bool // the site has zones
}

// course is what is known of one track, ordered by time.
type course struct {
	places []recording.Truth
	stays  []stay
}

// stay is the zone that a tag is in from then on.
type stay struct {
	from time.Duration
	zone int // index in Site.Zones, or outside
}

func learn(site *recording.Site, truths Truths) (*truth, error) {
	t := &truth{tracks: make(map[string]*course), some: len(site.Zones) > 0}
	var err error
	if t.zones, err = indexOf(site.Zones); err != nil {
		return nil, err
	}
	places, err := truths.Truth()
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		c := t.course(p.Track)
		c.places = append(c.places, p)
	}
	zones, err := truths.ZoneTruth()
	if err != nil {
		return nil, err
	}
	if err := t.learnStays(site, zones); err != nil {
		return nil, err
	}
	for _, c := range t.tracks {
		slices.SortStableFunc(c.places, func(a, b recording.Truth) int { return cmp.Compare(a.At, b.At) })
		slices.SortStableFunc(c.stays, func(a, b stay) int { return cmp.Compare(a.from, b.from) })
	}
	return t, nil
}

func (t *truth) course(track string) *course {
	c := t.tracks[track]
	if c == nil {
		c = &course{}
		t.tracks[track] = c
	}
	return c
}

func (t *truth) learnStays(site *recording.Site, rows []recording.ZoneTruth) error {
	for i, row := range rows {
		zone := slices.IndexFunc(site.Zones, func(z recording.Zone) bool { return z.Name == row.Zone })
		if zone < 0 && row.Zone != "" {
			return schema.Errorf(schema.Invalid, fmt.Sprintf("zone_truth.csv row %d (zone)", i+1), "%.40q is not in zones.json; add it there or leave it empty for outside", row.Zone)
		}
		c := t.course(row.Track)
		c.stays = append(c.stays, stay{row.From, zone}) // IndexFunc's −1 is outside
	}
	return nil
}

func indexOf(zones []recording.Zone) (*fence.Index, error) {
	out := make([]fence.Zone, len(zones))
	for i, z := range zones {
		out[i].Index = i
		for _, p := range z.Polygon {
			out[i].Polygon = append(out[i].Polygon, r2.Point(p))
		}
	}
	index, err := fence.NewIndex(out)
	if err != nil {
		return nil, schema.Errorf(schema.Invalid, "zones.json", "%v (counted from 0)", err)
	}
	return index, nil
}

// zoneAt returns the zone in which a point lies, or outside.
func (t *truth) zoneAt(p r2.Point) int {
	if zone, ok := t.zones.Find(p); ok {
		return zone
	}
	return outside
}

// place returns where the tag was. A snapshot is nowhere between two others.
func (c *course) place(at time.Duration, snapshot bool) (r2.Point, bool) {
	i, exact := slices.BinarySearchFunc(c.places, at, func(p recording.Truth, at time.Duration) int { return cmp.Compare(p.At, at) })
	if exact {
		return pointOf(c.places[i]), true
	}
	if snapshot || i == 0 || i == len(c.places) {
		return r2.Point{}, false
	}
	before, after := c.places[i-1], c.places[i]
	if after.At-before.At > maxGap {
		return r2.Point{}, false
	}
	share := float64(at-before.At) / float64(after.At-before.At)
	from, to := pointOf(before), pointOf(after)
	return from.Add(to.Sub(from).Mul(share)), true
}

func pointOf(t recording.Truth) r2.Point { return r2.Point{X: t.X, Y: t.Y} }

// zone returns the zone that the tag was in and since when as far as the rows
// tell. A last row without a zone, when nothing is heard any more, says that the
// track has ended and not that the tag is outside.
func (c *course) zone(at, lastHeard time.Duration) (zone int, since time.Duration, ok bool) {
	i, exact := slices.BinarySearchFunc(c.stays, at, func(s stay, at time.Duration) int { return cmp.Compare(s.from, at) })
	if !exact {
		i--
	}
	if i < 0 {
		return 0, 0, false
	}
	s := c.stays[i]
	if i == len(c.stays)-1 && i > 0 && s.zone == outside && s.from >= lastHeard.Truncate(time.Second) {
		return 0, 0, false
	}
	for i > 0 && c.stays[i-1].zone == s.zone {
		i--
	}
	return s.zone, c.stays[i].from, true
}
