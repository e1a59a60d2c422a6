package store

import (
	"context"
	"slices"
	"strconv"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// ScaleRules is what a scaled plan must keep to.
type ScaleRules func(Plan, []Zone) error

// ScalePlan makes everything on the plan larger by the factor, away from the origin:
// its bounds, drawing and picture, receivers, zones, survey readings and reference
// points. Heights stay. What was stored of tags' ways keeps its metres, as the
// plan's older versions do.
func (s *Store) ScalePlan(ctx context.Context, scope postgres.Scope, id schema.PlanID, factor float64, rules ScaleRules) (Plan, error) {
	var p Plan
	err := s.changePlan(ctx, scope, id, "scale", func(tx postgres.Tx, of owner) error {
		old, err := planNow(ctx, tx, id)
		if err != nil {
			return err
		}
		_, zones, err := partsNow(ctx, tx, id)
		if err != nil {
			return err
		}
		p = old.scaled(factor)
		for i := range zones {
			zones[i].Polygon = scaled(zones[i].Polygon, factor)
		}
		if err := rules(p, zones); err != nil {
			return err
		}
		recordPlan(tx, of, audit.Change, id, append(changesOf(old, p), audit.Made("scale", strconv.FormatFloat(factor, 'g', -1, 64)))...)
		if err := updatePlan(ctx, tx, p); err != nil {
			return err
		}
		return scaleParts(ctx, tx, id, factor, zones)
	})
	return p, err
}

// scaleParts scales what hangs and was measured on the plan. The radio is another one
// where distances are.
func scaleParts(ctx context.Context, tx postgres.Tx, id schema.PlanID, factor float64, zones []Zone) error {
	for _, sql := range []string{
		`UPDATE ble_receiver SET x = x * $2, y = y * $2 WHERE plan = $1`,
		`UPDATE ble_survey_reading SET x = x * $2, y = y * $2 WHERE plan = $1`,
		`UPDATE ble_reference SET x = x * $2, y = y * $2 WHERE plan = $1`,
	} {
		if _, err := tx.Exec(ctx, sql, id, factor); err != nil {
			return postgres.Explain(err, "scale plan", nil)
		}
	}
	for _, z := range zones {
		if _, err := tx.Exec(ctx, `UPDATE ble_zone SET polygon = $3 WHERE plan = $1 AND id = $2`, id, z.ID, z.Polygon); err != nil {
			return postgres.Explain(err, "scale zone", nil)
		}
	}
	return touchRadio(ctx, tx, id)
}

func (p Plan) scaled(f float64) Plan {
	b := &p.Bounds
	b.Min.X, b.Min.Y, b.Max.X, b.Max.Y = b.Min.X*f, b.Min.Y*f, b.Max.X*f, b.Max.Y*f
	p.Walls, p.NoGo, p.Figures.Doors = allScaled(p.Walls, f), allScaled(p.NoGo, f), allScaled(p.Figures.Doors, f)
	p.Figures.Rooms = slices.Clone(p.Figures.Rooms)
	for i := range p.Figures.Rooms {
		p.Figures.Rooms[i].Polygon = scaled(p.Figures.Rooms[i].Polygon, f)
	}
	p.Figures.Labels = slices.Clone(p.Figures.Labels)
	for i := range p.Figures.Labels {
		l := &p.Figures.Labels[i]
		l.X, l.Y, l.SizeM = l.X*f, l.Y*f, l.SizeM*f
	}
	if p.Image != nil {
		image := *p.Image
		image.X, image.Y, image.MetresPerPx = image.X*f, image.Y*f, image.MetresPerPx*f
		p.Image = &image
	}
	return p
}

func allScaled(lines [][]Corner, f float64) [][]Corner {
	out := make([][]Corner, len(lines))
	for i, line := range lines {
		out[i] = scaled(line, f)
	}
	return out
}

func scaled(corners []Corner, f float64) []Corner {
	out := make([]Corner, len(corners))
	for i, c := range corners {
		out[i] = Corner{c[0] * f, c[1] * f}
	}
	return out
}
