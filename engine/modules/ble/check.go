package ble

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/geometry/fence"
	"mybeacon/schema"
)

// What a value may be. The engine keeps plans in memory and the locator works on
// a grid over the bounds, so both are bounded.
const (
	maxCoordinateM = 100_000 // plans may be in projected metres
	maxSizeM       = 10_000
	minSizeM       = 0.1
	maxHeightM     = 100
	maxWalls       = 5_000
	maxWallCorners = 50_000 // of all walls together
	maxName        = 200    // characters
	maxDescription = 2_000
	maxGainDB      = 30
	maxCapacity    = 1_000_000
)

func checkPlan(p store.Plan) error {
	if err := checkName("name", p.Name, 1); err != nil {
		return err
	}
	if p.Level < -100 || p.Level > 1000 {
		return schema.Errorf(schema.Invalid, "level", "%d is not a storey between -100 and 1000", p.Level)
	}
	if err := checkBounds(p.Bounds); err != nil {
		return err
	}
	if !within(p.TagHeightM, 0, maxHeightM) {
		return schema.Errorf(schema.Invalid, "tag_height_m", "%g is not a height between 0 and %d m", p.TagHeightM, maxHeightM)
	}
	if p.ZonesBy != store.ZonesByPosition && p.ZonesBy != store.ZonesByExamples {
		return schema.Errorf(schema.Invalid, "zones_by", "%.20q is neither %s nor %s", p.ZonesBy, store.ZonesByPosition, store.ZonesByExamples)
	}
	if err := checkWalls(p.Walls); err != nil {
		return err
	}
	if err := checkFigures(p.Figures); err != nil {
		return err
	}
	if err := checkImage(p.Image); err != nil {
		return err
	}
	return checkNoGo(p.NoGo, p.Bounds)
}

func checkBounds(b schema.Rect) error {
	for field, v := range map[string]float64{"bounds.min.x": b.Min.X, "bounds.min.y": b.Min.Y, "bounds.max.x": b.Max.X, "bounds.max.y": b.Max.Y} {
		if err := checkCoordinate(field, v); err != nil {
			return err
		}
	}
	if !within(b.Max.X-b.Min.X, minSizeM, maxSizeM) || !within(b.Max.Y-b.Min.Y, minSizeM, maxSizeM) {
		return schema.Errorf(schema.Invalid, "bounds", "the plan is %g x %g m; each side must have %g to %d m", b.Max.X-b.Min.X, b.Max.Y-b.Min.Y, minSizeM, maxSizeM)
	}
	return nil
}

func checkWalls(walls [][]store.Corner) error {
	if len(walls) > maxWalls {
		return schema.Errorf(schema.TooLarge, "walls", "%d walls are more than %d", len(walls), maxWalls)
	}
	corners := 0
	for i, wall := range walls {
		if len(wall) < 2 {
			return schema.Errorf(schema.Invalid, fmt.Sprintf("walls[%d]", i), "a wall has at least two corners")
		}
		if corners += len(wall); corners > maxWallCorners {
			return schema.Errorf(schema.TooLarge, "walls", "more than %d corners", maxWallCorners)
		}
		for j, c := range wall {
			if err := checkCorner(fmt.Sprintf("walls[%d][%d]", i, j), c); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkReceiver(r store.Receiver) error {
	if r.Device.IsZero() {
		return schema.Errorf(schema.Invalid, "device_id", "is required")
	}
	if err := checkCoordinate("x", r.X); err != nil {
		return err
	}
	if err := checkCoordinate("y", r.Y); err != nil {
		return err
	}
	if !within(r.Z, -maxHeightM, maxHeightM) {
		return schema.Errorf(schema.Invalid, "z", "%g is not a height between -%d and %d m", r.Z, maxHeightM, maxHeightM)
	}
	if !within(r.Rotation, -360, 360) {
		return schema.Errorf(schema.Invalid, "rotation", "%g is not between -360 and 360 degrees", r.Rotation)
	}
	if !within(r.GainDB, -maxGainDB, maxGainDB) {
		return schema.Errorf(schema.Invalid, "gain_db", "%g is not between -%d and %d dB", r.GainDB, maxGainDB, maxGainDB)
	}
	return nil
}

func checkZone(z store.Zone) error {
	if err := checkName("name", z.Name, 0); err != nil {
		return err
	}
	if z.Color != "" && !isColor(z.Color) {
		return schema.Errorf(schema.Invalid, "color", "%.20q is not a colour such as #1CB5D5", z.Color)
	}
	if c := z.Capacity; c != nil && (*c < 0 || *c > maxCapacity) {
		return schema.Errorf(schema.Invalid, "capacity", "%d is not a number between 1 and %d, or null or 0 for none", *c, maxCapacity)
	}
	_, err := checkPolygon("polygon", z.Polygon)
	return err
}

// Crossing is where a polygon crosses itself, for the editor to show. Edges are
// named by the index of the corner they begin at.
type Crossing struct {
	Edges [2]int       `json:"edges"`
	At    store.Corner `json:"at"`
}

// crossing is the cause of an Invalid zone.
type crossing struct{ where Crossing }

// Error implements error.
func (c crossing) Error() string { return fmt.Sprintf("edges %v cross", c.where.Edges) }

// ProblemValue gives the details to the problem document.
func (c crossing) ProblemValue() any { return c.where }

func crossingOf(err error) error {
	var found *fence.CrossingError
	if !errors.As(err, &found) {
		return nil
	}
	return crossing{Crossing{Edges: [2]int{found.A, found.B}, At: store.Corner{found.At.X, found.At.Y}}}
}

func checkTag(t store.Tag) error {
	if t.Transmitter.Kind == schema.TransmitterNone {
		return schema.Errorf(schema.Invalid, "transmitter", "is required, such as ibeacon:UUID/major/minor")
	}
	return checkBound(t)
}

// checkBound checks what a tag is bound to.
func checkBound(t store.Tag) error {
	if err := checkName("name", t.Name, 1); err != nil {
		return err
	}
	if !slices.Contains([]string{"person", "asset", "vehicle"}, t.Type) {
		return schema.Errorf(schema.Invalid, "type", "%.20q is none of person, asset, vehicle", t.Type)
	}
	if utf8.RuneCountInString(t.Description) > maxDescription {
		return schema.Errorf(schema.TooLarge, "description", "has more than %d characters", maxDescription)
	}
	return nil
}

func checkName(field, name string, least int) error {
	if n := utf8.RuneCountInString(name); n < least || n > maxName || strings.ContainsFunc(name, isControl) {
		return schema.Errorf(schema.Invalid, field, "must have %d to %d characters without control characters", least, maxName)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func checkCorner(field string, c store.Corner) error {
	if err := checkCoordinate(field, c[0]); err != nil {
		return err
	}
	return checkCoordinate(field, c[1])
}

func checkCoordinate(field string, v float64) error {
	if !within(v, -maxCoordinateM, maxCoordinateM) {
		return schema.Errorf(schema.Invalid, field, "%g is not a coordinate within %d m of the origin", v, maxCoordinateM)
	}
	return nil
}

// within is false for NaN too.
func within(v, least, most float64) bool {
	return !math.IsNaN(v) && v >= least && v <= most
}

func isColor(s string) bool {
	if len(s) != 7 || s[0] != '#' {
		return false
	}
	return !strings.ContainsFunc(s[1:], func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) })
}
