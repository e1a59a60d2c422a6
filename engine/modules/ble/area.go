package ble

import (
	"fmt"
	"math"

	"github.com/golang/geo/r2"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/geometry/fence"
	"mybeacon/schema"
)

// What the areas of a plan may be.
const (
	maxNoGo        = 200
	maxNoGoCorners = 10_000 // of all areas together
	// borderM is how far a drawn border may miss the one that it follows: a sub-zone
	// its parent's, a no-go area the plan's.
	borderM = 0.25
	// leastOpen is the share of a plan that must be left for tags: the locator needs
	// a cell whose centre is open, however large its cells are on such a plan.
	leastOpen = 0.01
)

func checkNoGo(areas [][]store.Corner, bounds schema.Rect) error {
	if len(areas) > maxNoGo {
		return schema.Errorf(schema.TooLarge, "no_go", "%d areas are more than %d", len(areas), maxNoGo)
	}
	corners := 0
	zones := make([]fence.Zone, len(areas))
	for i, area := range areas {
		if corners += len(area); corners > maxNoGoCorners {
			return schema.Errorf(schema.TooLarge, "no_go", "more than %d corners", maxNoGoCorners)
		}
		field := fmt.Sprintf("no_go[%d]", i)
		polygon, err := checkPolygon(field, area)
		if err != nil {
			return err
		}
		if j := outsideOf(bounds, polygon); j >= 0 {
			return schema.Errorf(schema.Invalid, fmt.Sprintf("%s[%d]", field, j), "(%g, %g) is outside the plan's bounds; draw the area within them", area[j][0], area[j][1])
		}
		zones[i] = fence.Zone{Index: i, Polygon: polygon}
	}
	return checkOpen(zones, bounds)
}

// checkPolygon returns the polygon when it is a region.
func checkPolygon(field string, corners []store.Corner) ([]r2.Point, error) {
	polygon := make([]r2.Point, len(corners))
	for i, c := range corners {
		if err := checkCorner(fmt.Sprintf("%s[%d]", field, i), c); err != nil {
			return nil, err
		}
		polygon[i] = r2.Point{X: c[0], Y: c[1]}
	}
	if err := fence.Validate(polygon); err != nil {
		return nil, &schema.Error{Kind: schema.Invalid, Field: field, Message: err.Error(), Err: crossingOf(err)}
	}
	return polygon, nil
}

// outsideOf returns the first corner that is not within the bounds, or -1.
func outsideOf(bounds schema.Rect, polygon []r2.Point) int {
	admitted := r2.RectFromPoints(r2.Point(bounds.Min), r2.Point(bounds.Max)).ExpandedByMargin(borderM)
	for i, p := range polygon {
		if !admitted.ContainsPoint(p) {
			return i
		}
	}
	return -1
}

// checkOpen looks at a raster of the plan's points.
func checkOpen(areas []fence.Zone, b schema.Rect) error {
	if len(areas) == 0 {
		return nil
	}
	index, err := fence.NewIndex(areas)
	if err != nil {
		return fmt.Errorf("index no-go areas: %w", err)
	}
	const across = 100
	open := 0
	for row := range across {
		for col := range across {
			p := r2.Point{
				X: b.Min.X + (b.Max.X-b.Min.X)*(float64(col)+0.5)/across,
				Y: b.Min.Y + (b.Max.Y-b.Min.Y)*(float64(row)+0.5)/across,
			}
			if _, in := index.Find(p); !in {
				open++
			}
		}
	}
	if open < leastOpen*across*across {
		return schema.Errorf(schema.Invalid, "no_go", "the areas cover the whole plan; leave at least %g %% of it for tags", 100*leastOpen)
	}
	return nil
}

// zoneRules implements store.ZoneRules.
type zoneRules struct{}

// Color colours zones by number, so that neighbours differ; the same hues are
// told apart on light and dark plans at 30 % opacity.
func (zoneRules) Color(number int) string {
	colors := [...]string{"#1CB5D5", "#FF9800", "#4CAF50", "#9C27B0", "#F44336", "#3F51B5", "#795548", "#009688", "#E91E63", "#CDDC39"}
	return colors[(number-1)%len(colors)]
}

// Family keeps sub-zones one level deep and within their parents.
func (zoneRules) Family(z store.Zone, parent *store.Zone, parts []store.Zone) error {
	if parent != nil {
		switch {
		case parent.ID == z.ID:
			return schema.Errorf(schema.Invalid, "parent_id", "a zone cannot be a part of itself")
		case !parent.Parent.IsZero():
			return schema.Errorf(schema.Conflict, "parent_id", "%s is a part of another zone itself, and zones nest one level deep; choose that zone", titleOf(*parent))
		case len(parts) > 0:
			return schema.Errorf(schema.Conflict, "parent_id", "%s is a part of this zone, and zones nest one level deep; give it another parent first", titleOf(parts[0]))
		}
		if at, ok := reachesOut(z.Polygon, parent.Polygon); ok {
			return schema.Errorf(schema.Invalid, "polygon", "reaches out of %s, whose part the zone is, at (%.2f, %.2f); at most %g m are allowed", titleOf(*parent), at.X, at.Y, borderM)
		}
	}
	for _, part := range parts {
		if at, ok := reachesOut(part.Polygon, z.Polygon); ok {
			return schema.Errorf(schema.Conflict, "polygon", "%s, a part of the zone, would reach out of it at (%.2f, %.2f); change that zone first", titleOf(part), at.X, at.Y)
		}
	}
	return nil
}

func titleOf(z store.Zone) string {
	if z.Name == "" {
		return fmt.Sprintf("zone #%d", z.Number)
	}
	return fmt.Sprintf("zone #%d %q", z.Number, z.Name)
}

// reachesOut returns a point of the inner polygon's border that lies outside the
// outer one by more than borderM. A polygon whose border is within another is so
// wholly, because neither has holes. Borders are looked at every borderM or, on
// edges longer than 16 m, at 64 points.
func reachesOut(inner, outer []store.Corner) (r2.Point, bool) {
	border := pointsOf(outer)
	index, err := fence.NewIndex([]fence.Zone{{Polygon: border}})
	if err != nil {
		panic("BUG: a zone that was checked is no region: " + err.Error())
	}
	points := pointsOf(inner)
	from := points[len(points)-1]
	for _, to := range points {
		edge := to.Sub(from)
		steps := math.Min(math.Ceil(edge.Norm()/borderM), 64)
		for i := 1.0; i <= steps; i++ {
			p := from.Add(edge.Mul(i / steps))
			if _, in := index.Find(p); !in && distance(p, border) > borderM {
				return p, true
			}
		}
		from = to
	}
	return r2.Point{}, false
}

// distance returns how far p is from the polygon's border, in metres.
func distance(p r2.Point, polygon []r2.Point) float64 {
	least := math.Inf(1)
	a := polygon[len(polygon)-1]
	for _, b := range polygon {
		edge := b.Sub(a)
		t := math.Max(0, math.Min(p.Sub(a).Dot(edge)/edge.Dot(edge), 1))
		least = math.Min(least, p.Sub(a.Add(edge.Mul(t))).Norm())
		a = b
	}
	return least
}

func pointsOf(corners []store.Corner) []r2.Point {
	points := make([]r2.Point, len(corners))
	for i, c := range corners {
		points[i] = r2.Point{X: c[0], Y: c[1]}
	}
	return points
}
