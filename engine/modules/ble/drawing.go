package ble

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// What a drawing may be, all of it together.
const (
	maxShapes  = 5_000
	maxCorners = 50_000
	maxLabel   = 200 // characters
	leastSizeM = 0.01
	mostSizeM  = 100
)

// What of a plan is changed, for its versions.
const (
	changedPlan    = "plan"
	changedDrawing = "drawing"
	changedImage   = "image"
	changedScale   = "scale"
)

// Sketch is all that is drawn on a plan.
type Sketch struct {
	Walls [][]store.Corner
	NoGo  [][]store.Corner
	store.Figures
}

// SetDrawing replaces all that is drawn on a plan. The same again changes nothing.
func (m *Module) SetDrawing(ctx context.Context, scope postgres.Scope, id schema.PlanID, to Sketch) (store.Plan, error) {
	if err := checkSketch(to); err != nil {
		return store.Plan{}, err
	}
	p, err := m.store.ChangePlan(ctx, scope, id, changedDrawing, func(p *store.Plan) error {
		p.Walls, p.NoGo, p.Figures = to.Walls, to.NoGo, to.Figures
		*p = complete(*p)
		return checkPlan(*p)
	})
	return p, m.after(ctx, err)
}

// DrawingAt returns the plan as it was at the time, with its receivers and zones.
func (m *Module) DrawingAt(ctx context.Context, scope postgres.Scope, id schema.PlanID, at time.Time) (store.Drawing, error) {
	return m.store.DrawingAt(ctx, scope, id, at)
}

// Versions returns a page of the plan's versions, the newest first.
func (m *Module) Versions(ctx context.Context, scope postgres.Scope, id schema.PlanID, page postgres.Page) ([]store.Version, postgres.Cursor, error) {
	return m.store.Versions(ctx, scope, id, page)
}

// checkSketch bounds the whole before its parts are looked at one by one.
func checkSketch(s Sketch) error {
	shapes := len(s.Walls) + len(s.NoGo) + len(s.Rooms) + len(s.Doors) + len(s.Labels)
	corners := 2*len(s.Doors) + len(s.Labels)
	for _, line := range s.Walls {
		corners += len(line)
	}
	for _, area := range s.NoGo {
		corners += len(area)
	}
	for _, r := range s.Rooms {
		corners += len(r.Polygon)
	}
	if shapes > maxShapes || corners > maxCorners {
		return schema.Errorf(schema.TooLarge, "drawing", "%d shapes with %d corners are more than %d with %d; simplify it", shapes, corners, maxShapes, maxCorners)
	}
	return checkFigures(s.Figures)
}

func checkFigures(f store.Figures) error {
	for i, r := range f.Rooms {
		if err := checkRoom(fmt.Sprintf("rooms[%d]", i), r); err != nil {
			return err
		}
	}
	for i, d := range f.Doors {
		field := fmt.Sprintf("doors[%d]", i)
		if len(d) != 2 {
			return schema.Errorf(schema.Invalid, field, "a door has two ends, not %d", len(d))
		}
		for j, c := range d {
			if err := checkCorner(fmt.Sprintf("%s[%d]", field, j), c); err != nil {
				return err
			}
		}
	}
	for i, l := range f.Labels {
		if err := checkLabel(fmt.Sprintf("labels[%d]", i), l); err != nil {
			return err
		}
	}
	return nil
}

func checkRoom(field string, r store.Room) error {
	if len(r.Polygon) < 3 {
		return schema.Errorf(schema.Invalid, field+".polygon", "a room has at least three corners, not %d", len(r.Polygon))
	}
	for j, c := range r.Polygon {
		if err := checkCorner(fmt.Sprintf("%s.polygon[%d]", field, j), c); err != nil {
			return err
		}
	}
	if !isColor(r.Color) {
		return schema.Errorf(schema.Invalid, field+".color", "%.20q is not a colour such as #F5EFE0", r.Color)
	}
	return checkText(field+".label", r.Label, 0)
}

func checkLabel(field string, l store.Label) error {
	if err := checkCoordinate(field+".x", l.X); err != nil {
		return err
	}
	if err := checkCoordinate(field+".y", l.Y); err != nil {
		return err
	}
	if !within(l.SizeM, leastSizeM, mostSizeM) {
		return schema.Errorf(schema.Invalid, field+".size_m", "%g is not a height of letters between %g and %d m", l.SizeM, leastSizeM, mostSizeM)
	}
	return checkText(field+".text", l.Text, 1)
}

// checkText refuses what does not print: control characters, and those that turn the
// direction of writing.
func checkText(field, text string, least int) error {
	odd := !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) })
	if n := utf8.RuneCountInString(text); odd || n < least || n > maxLabel {
		return schema.Errorf(schema.Invalid, field, "must have %d to %d printable characters", least, maxLabel)
	}
	return nil
}
