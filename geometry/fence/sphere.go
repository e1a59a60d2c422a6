package fence

import (
	"fmt"
	"math"

	"github.com/golang/geo/s2"
)

// LatLng is a place on the Earth in degrees, latitude north and longitude east.
// 180 and -180 are the same meridian, and at a pole all longitudes are the same
// place.
type LatLng struct{ Lat, Lng float64 }

// MaxLngDeg is the largest longitude that is taken, east or west: twice as far as
// there is a need for, so that a ring across the antimeridian can be written as it
// is drawn, 179 to 181.
const MaxLngDeg = 360

func (p LatLng) String() string { return fmt.Sprintf("%.6f°, %.6f°", p.Lat, p.Lng) }

// valid is written so that NaN fails.
func (p LatLng) valid() bool { return math.Abs(p.Lat) <= 90 && math.Abs(p.Lng) <= MaxLngDeg }

// point returns the place on the unit sphere. Equal places give equal points, bit
// for bit, however their longitudes are written.
func (p LatLng) point() s2.Point {
	if math.Abs(p.Lat) == 90 {
		return s2.PointFromCoords(0, 0, p.Lat)
	}
	lng := math.Remainder(p.Lng, 360) // exact
	if lng == -180 {
		lng = 180
	}
	return s2.PointFromLatLng(s2.LatLngFromDegrees(p.Lat, lng))
}

func latLngOf(p s2.Point) LatLng {
	ll := s2.LatLngFromPoint(p)
	return LatLng{ll.Lat.Degrees(), ll.Lng.Degrees()}
}

// SphereZone is a region of the Earth: the smaller of the two that its ring parts.
// Edges are the shortest ways between corners, arcs of great circles: a long edge
// between two places of one latitude bends towards the pole. Index is the caller's
// name for the zone; two zones may have the same.
type SphereZone struct {
	Index int
	Ring  []LatLng // closed implicitly, in either direction
}

// SphereCrossingError says that the border of a ring crosses or touches itself.
// Edge i runs from corner i to corner i+1, the last one back to corner 0.
type SphereCrossingError struct {
	A, B int    // the two edges, A < B
	At   LatLng // where; of edges that overlap, one of the places they share
}

// Error implements error. Corners are counted from 1, as people do.
func (e *SphereCrossingError) Error() string {
	return fmt.Sprintf("the border crosses itself at %v: the edge from corner %d meets the edge from corner %d", e.At, e.A+1, e.B+1)
}

// ValidateSphere reports why a ring is not a region: fewer than three corners or
// more than [MaxCorners], a latitude beyond 90 or a longitude beyond [MaxLngDeg], a
// corner that repeats the one before it or is its antipode, so that no way between
// them is the shortest, a border that crosses or touches itself (a
// [*SphereCrossingError]), or no area.
func ValidateSphere(ring []LatLng) error {
	_, err := loopOf(ring)
	return err
}

// loopOf returns the region of a ring.
func loopOf(ring []LatLng) (*s2.Loop, error) {
	n := len(ring)
	if n < 3 || n > MaxCorners {
		return nil, fmt.Errorf("a ring has 3 to %d corners, this one has %d", MaxCorners, n)
	}
	corners := make([]s2.Point, n)
	for i, p := range ring {
		if !p.valid() {
			return nil, fmt.Errorf("corner %d at (%g, %g) is no latitude within ±90 and longitude within ±%d degrees", i+1, p.Lat, p.Lng, MaxLngDeg)
		}
		corners[i] = p.point()
	}
	for i, p := range corners {
		switch before := corners[(i+n-1)%n]; {
		case p == before:
			return nil, fmt.Errorf("corner %d repeats the corner before it", i+1)
		case p.Add(before.Vector).Norm2() < antipodal:
			return nil, fmt.Errorf("corner %d is at the other end of the Earth from the corner before it: no way between them is the shortest", i+1)
		}
	}
	if err := sphereCrossing(corners); err != nil {
		return nil, err
	}
	loop := s2.LoopFromPoints(corners)
	loop.Normalize()
	if area := loop.Area(); !(area > 0 && area < 3*math.Pi) { // below 1e-300 or so it is lost in rounding, to zero or to all
		return nil, fmt.Errorf("the ring has no area")
	}
	return loop, nil
}

// antipodal is the square of the distance, on the unit sphere, within which two
// points count as antipodes: 6 mm on the Earth. Rounding decides where the edge
// between such points runs.
const antipodal = 1e-18

// sphereCrossing is crossing on the sphere.
func sphereCrossing(corners []s2.Point) error {
	i, j, at, ok := firstCrossing(corners, arcsFolded, arcsMeet)
	if !ok {
		return nil
	}
	return &SphereCrossingError{A: i, B: j, At: latLngOf(at)}
}

// arcsFolded is folded on the sphere.
func arcsFolded(a, b, c s2.Point) (s2.Point, bool) {
	switch {
	case onArc(b, c, a):
		return a, true
	case onArc(a, b, c):
		return c, true
	default:
		return s2.Point{}, false
	}
}

// arcsMeet is intersection on the sphere.
func arcsMeet(a, b, c, d s2.Point) (s2.Point, bool) {
	for _, touch := range [...]struct{ from, to, p s2.Point }{{a, b, c}, {a, b, d}, {c, d, a}, {c, d, b}} {
		if onArc(touch.from, touch.to, touch.p) {
			return touch.p, true
		}
	}
	if s2.CrossingSign(a, b, c, d) != s2.Cross {
		return s2.Point{}, false
	}
	return s2.Intersection(a, b, c, d), true
}
