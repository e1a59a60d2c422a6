// Package anchor ties a plan to the Earth: points in metres of the plan to
// latitude and longitude, and back.
//
// A plan is flat. It is laid onto the plane that touches the WGS 84 ellipsoid at
// the anchor, and its points go straight down to the ellipsoid. Lengths on the Earth
// are then those of the plan to a few parts in 10⁸ at a kilometre from the anchor and
// 10⁶ at ten; there and back is exact to a micrometre.
//
// # Source of the formulas
//
// Geographic to geocentric and to topocentric coordinates and back: IOGP
// Publication 373-7-2, EPSG Geomatics Guidance Note 7 part 2, sections 4.1.1 and
// 4.1.2 (methods 9602 and 9837), the latitude after B. R. Bowring, Transformation from
// spatial to geographical coordinates, Survey Review 181, 1976.
//
// # Concurrency
//
// An Anchor is a plain value and its methods change nothing.
package anchor

import (
	"fmt"
	"math"

	"github.com/golang/geo/r2"
	"github.com/golang/geo/r3"

	"mybeacon/geometry/fence"
)

// The WGS 84 ellipsoid: its larger half axis in metres, its flattening, and what
// follows from them.
const (
	semiMajorM    = 6_378_137.0
	flattening    = 1 / 298.257223563
	semiMinorM    = semiMajorM * (1 - flattening)
	eccentricity2 = flattening * (2 - flattening)
	second2       = eccentricity2 / (1 - eccentricity2)
)

// MaxReachM is how far from the anchor a point may be, in metres.
const MaxReachM = 100_000

// Anchor says where on the Earth a plan's origin is, and how the plan is turned.
type Anchor struct {
	At fence.LatLng // of the plan's point (0, 0)
	// YBearingDeg is where the plan's y axis points: degrees clockwise from north. The
	// x axis points a right angle further clockwise.
	YBearingDeg float64
}

// Validate names the first field that is out of range. A pole can be no anchor: there
// is no north there.
func (a Anchor) Validate() error {
	switch {
	case !(math.Abs(a.At.Lat) < 90):
		return fmt.Errorf("the anchor's latitude is %g; it may be above -90 and below 90", a.At.Lat)
	case !(math.Abs(a.At.Lng) <= fence.MaxLngDeg):
		return fmt.Errorf("the anchor's longitude is %g; it may be -%d to %d", a.At.Lng, fence.MaxLngDeg, fence.MaxLngDeg)
	case !(math.Abs(a.YBearingDeg) <= 360):
		return fmt.Errorf("the bearing of the plan's y axis is %g; it may be -360 to 360 degrees", a.YBearingDeg)
	}
	return nil
}

// LatLng returns where a point of the plan is on the Earth, with a longitude from
// -180 to 180. Points beyond [MaxReachM] give places, but no good ones.
func (a Anchor) LatLng(p r2.Point) fence.LatLng {
	f := a.frame()
	return geographic(f.origin.Add(f.x.Mul(p.X)).Add(f.y.Mul(p.Y)))
}

// Point returns where a place is on the plan; false when it is not within
// [MaxReachM] of the anchor, or no place.
func (a Anchor) Point(at fence.LatLng) (r2.Point, bool) {
	if !(math.Abs(at.Lat) <= 90 && math.Abs(at.Lng) <= fence.MaxLngDeg) {
		return r2.Point{}, false
	}
	f, target := a.frame(), geocentric(at)
	if target.Sub(f.origin).Norm() > MaxReachM {
		return r2.Point{}, false
	}
	// Seen from the plane, the place is displaced by its depth below it; what is
	// missed is the square of the reach over the Earth's radius, and once more so with
	// each step: three leave nothing.
	p := f.flat(target)
	for range 3 {
		p = p.Add(f.flat(target).Sub(f.flat(geocentric(a.LatLng(p)))))
	}
	return p, true
}

// frame is the plan's axes in geocentric coordinates.
type frame struct{ origin, x, y r3.Vector }

func (a Anchor) frame() frame {
	sinLat, cosLat := math.Sincos(radians(a.At.Lat))
	sinLng, cosLng := math.Sincos(radians(a.At.Lng))
	east := r3.Vector{X: -sinLng, Y: cosLng}
	north := r3.Vector{X: -sinLat * cosLng, Y: -sinLat * sinLng, Z: cosLat}
	sin, cos := math.Sincos(radians(a.YBearingDeg))
	return frame{
		origin: geocentric(a.At),
		x:      east.Mul(cos).Sub(north.Mul(sin)),
		y:      east.Mul(sin).Add(north.Mul(cos)),
	}
}

// flat drops what is below or above the plan's plane.
func (f frame) flat(v r3.Vector) r2.Point {
	d := v.Sub(f.origin)
	return r2.Point{X: d.Dot(f.x), Y: d.Dot(f.y)}
}

// geocentric returns a place on the ellipsoid in metres from the Earth's centre.
func geocentric(at fence.LatLng) r3.Vector {
	sinLat, cosLat := math.Sincos(radians(at.Lat))
	sinLng, cosLng := math.Sincos(radians(at.Lng))
	n := semiMajorM / math.Sqrt(1-eccentricity2*sinLat*sinLat)
	return r3.Vector{X: n * cosLat * cosLng, Y: n * cosLat * sinLng, Z: n * (1 - eccentricity2) * sinLat}
}

// geographic returns the place below a point.
func geographic(v r3.Vector) fence.LatLng {
	across := math.Hypot(v.X, v.Y)
	sin, cos := math.Sincos(math.Atan2(v.Z*semiMajorM, across*semiMinorM))
	lat := math.Atan2(v.Z+second2*semiMinorM*sin*sin*sin, across-eccentricity2*semiMajorM*cos*cos*cos)
	return fence.LatLng{Lat: degrees(lat), Lng: degrees(math.Atan2(v.Y, v.X))}
}

func radians(deg float64) float64 { return deg * (math.Pi / 180) }
func degrees(rad float64) float64 { return rad * (180 / math.Pi) }
