package locate

import (
	"math/rand/v2"
	"testing"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"
)

// However many transmitters were carried everywhere, a survey becomes so many spots
// that whoever edits its plan does not hold up all others for long.
func TestSpotsAreBounded(t *testing.T) {
	site := Site{Bounds: r2.RectFromPoints(r2.Point{}, r2.Point{X: 100, Y: 60}), TagHeightM: 1}
	for i := range 40 {
		site.Receivers = append(site.Receivers, r3.Vector{X: float64(i) * 2.5, Y: 30, Z: 3})
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 2 * allSpots {
		site.Survey = append(site.Survey, Labelled{
			At: r2.Point{X: rng.Float64() * 100, Y: rng.Float64() * 60}, Receiver: i % 40, RSSIdBm: -60 - 30*rng.Float64(), Source: rng.IntN(100),
		})
	}
	g := newGrid(site, DefaultConfig())
	if n := len(gather(site, &g)); n > allSpots || n < allSpots/4 {
		t.Errorf("%d readings became %d spots", len(site.Survey), n)
	}
}
