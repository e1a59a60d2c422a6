package analytics

import (
	"context"
	"fmt"
	"math"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"mybeacon/schema"
)

// grainM is the side of the squares that roll-ups keep, in metres. Larger squares are
// made of whole ones.
const grainM = 0.5

// maxCells is how many squares a heat map may have.
const maxCells = 250_000

// HeatMap is how long tags were in each square of a plan.
type HeatMap struct {
	MinX, MinY    float64 // metres; corner of the first square
	CellM         float64
	Columns, Rows int
	Ms            []int64 // row by row
	TotalMs       int64
}

// HeatMap adds up for how long fixes of the question's plan held, in squares of cellM
// metres, a multiple of half a metre. The squares lie on multiples of their side and
// cover the bounds, and what lies beyond them as far as a tag was placed there.
func (a *Analytics) HeatMap(ctx context.Context, q *Query, bounds schema.Rect, cellM float64) (HeatMap, error) {
	grains := int64(math.Round(cellM / grainM))
	if grains < 1 || math.Abs(cellM-float64(grains)*grainM) > 1e-9 {
		return HeatMap{}, schema.Errorf(schema.Invalid, "cell_m", "%v is not a multiple of %v", cellM, grainM)
	}
	type cell struct{ x, y int }
	found := map[cell]int64{}
	column := func(m float64) int { return int(math.Floor(m / cellM)) }
	least := cell{column(bounds.Min.X), column(bounds.Min.Y)}
	last := cell{column(math.Nextafter(bounds.Max.X, bounds.Min.X)), column(math.Nextafter(bounds.Max.Y, bounds.Min.Y))}
	s := q.statement()
	table, err := a.cells(ctx, q, s)
	if err != nil {
		return HeatMap{}, err
	}
	sql := fmt.Sprintf(`SELECT toInt32(floor(cx / %[1]d)) AS x, toInt32(floor(cy / %[1]d)) AS y, sum(ms) FROM %[2]s GROUP BY x, y LIMIT %[3]d`, grains, table, maxCells+1)
	err = a.ask(ctx, "the heat map", sql, s, func(rows driver.Rows) error {
		var x, y int32
		var ms int64
		err := rows.Scan(&x, &y, &ms)
		c := cell{int(x), int(y)}
		found[c] += ms
		least = cell{min(least.x, c.x), min(least.y, c.y)}
		last = cell{max(last.x, c.x), max(last.y, c.y)}
		return err
	})
	if err != nil {
		return HeatMap{}, err
	}
	h := HeatMap{MinX: float64(least.x) * cellM, MinY: float64(least.y) * cellM, CellM: cellM, Columns: last.x - least.x + 1, Rows: last.y - least.y + 1}
	if h.Columns*h.Rows > maxCells {
		return HeatMap{}, schema.Errorf(schema.TooLarge, "cell_m", "the map would have %d × %d squares, it may have %d; take larger ones", h.Columns, h.Rows, maxCells)
	}
	h.Ms = make([]int64, h.Columns*h.Rows)
	for c, ms := range found {
		h.Ms[(c.y-least.y)*h.Columns+c.x-least.x] = ms
		h.TotalMs += ms
	}
	return h, nil
}
