package locate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/actors"
	"mybeacon/actors/tag"
	"mybeacon/geometry/locate"
	"mybeacon/schema"
)

// radius says within what radius 95 % of the posterior of a fix lie. A
// [schema.Fix] carries the radius of 68 % only, so the locator is given the same
// samples a second time, and its answer counts only as long as it is the engine's
// fix bit by bit: a window that is not the engine's any more makes the figure
// unknown, never wrong.
type radius struct {
	locator locate.Locator
	track   locate.Track
	window  time.Duration
	samples []heardBy
	located []locate.Sample
}

type heardBy struct {
	receiver int
	tag.Sample
}

func newRadius(l *schema.Layout, cfg actors.Config) (*radius, error) {
	site := locate.Site{
		Bounds:     r2.RectFromPoints(r2.Point(l.Bounds.Min), r2.Point(l.Bounds.Max)),
		TagHeightM: l.TagHeightM,
	}
	for _, r := range l.Receivers {
		site.Receivers = append(site.Receivers, r3.Vector{X: r.X, Y: r.Y, Z: r.Z})
	}
	locator, err := locate.New(site, cfg.Locate)
	if err != nil {
		return nil, err
	}
	return &radius{locator: locator, track: locator.NewTrack(), window: cfg.Tag.Window}, nil
}

func (r *radius) hear(receiver int, samples []tag.Sample) {
	for _, s := range samples {
		r.samples = append(r.samples, heardBy{receiver, s})
	}
}

// reset forgets the tag, as the engine does when it is absent.
func (r *radius) reset() { r.track, r.samples = r.locator.NewTrack(), r.samples[:0] }

// of95 returns the radius in metres, or NaN.
func (r *radius) of95(f *schema.Fix) float64 {
	end := f.At.Add(time.Second)
	oldest := end.Add(-r.window)
	r.samples = slices.DeleteFunc(r.samples, func(s heardBy) bool { return s.At <= oldest })
	r.located = r.located[:0]
	for _, s := range r.samples {
		r.located = append(r.located, locate.Sample{Receiver: s.receiver, RSSIdBm: s.RSSI.DBm(), Age: end.Sub(s.At)})
	}
	slices.SortFunc(r.located, func(a, b locate.Sample) int {
		return cmp.Or(cmp.Compare(a.Receiver, b.Receiver), cmp.Compare(a.Age, b.Age), cmp.Compare(a.RSSIdBm, b.RSSIdBm))
	})
	est, ok := r.track.Update(time.Duration(f.At)*time.Millisecond, r.located)
	if !ok || est.Pos != (r2.Point{X: f.X, Y: f.Y}) || est.AccuracyM != f.AccuracyM {
		return math.NaN()
	}
	return est.Accuracy95M
}
