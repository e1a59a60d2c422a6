package sim

import (
	"math"

	"mybeacon/schema"
)

// The floor, in metres. The rooms are rectangles, so that the straight way
// between two points of one room stays in it.
const (
	floorWidth = 40.0
	floorDepth = 25.0
	// TagHeightM is the usual height of a tag above the floor.
	TagHeightM = 1.2
	doorWidth  = 1.4
	corridor   = 9 // index of the corridor among the areas
)

// Bounds returns the plan's extent.
func Bounds() schema.Rect {
	return schema.Rect{Max: schema.Point{X: floorWidth, Y: floorDepth}}
}

// area is a room or the corridor.
type area struct {
	ru, en         string
	x0, y0, x1, y1 float64
	// people is the share of the staff that works here, visits how much the
	// others like to come by.
	people, visits float64
}

var areas = [...]area{
	{"Склад", "Warehouse", 0, 0, 12, 9, 3, 1},
	{"Мастерская", "Workshop", 12, 0, 20, 9, 3, 1},
	{"Столовая", "Canteen", 20, 0, 30, 9, 1, 4},
	{"Переговорная", "Meeting room", 30, 0, 40, 9, 0, 2},
	{"Торговый зал", "Sales floor", 0, 12, 18, 25, 5, 3},
	{"Приёмная", "Reception", 18, 12, 25, 25, 1, 1},
	{"Офис", "Office", 25, 12, 34, 25, 5, 2},
	{"Кабинет директора", "Director", 34, 12, 40, 18, 1, 0.5},
	{"Архив", "Archive", 34, 18, 40, 25, 0, 0.5},
	{"", "", 0, 9, 40, 12, 0, 0},
}

// door joins two areas; its middle lies on their common wall.
type door struct {
	a, b int
	at   schema.Point
}

var doors = [...]door{
	{0, corridor, schema.Point{X: 6, Y: 9}},
	{1, corridor, schema.Point{X: 16, Y: 9}},
	{2, corridor, schema.Point{X: 24, Y: 9}},
	{3, corridor, schema.Point{X: 35, Y: 9}},
	{4, corridor, schema.Point{X: 4, Y: 12}},
	{4, corridor, schema.Point{X: 14, Y: 12}},
	{5, corridor, schema.Point{X: 21.5, Y: 12}},
	{6, corridor, schema.Point{X: 29, Y: 12}},
	{7, corridor, schema.Point{X: 37, Y: 12}},
	{0, 1, schema.Point{X: 12, Y: 4.5}},
	{6, 8, schema.Point{X: 34, Y: 21.5}},
}

// mounts are the places of the receivers, under the ceiling.
var mounts = [...]schema.Point{
	{X: 2, Y: 2}, {X: 10, Y: 7}, {X: 16, Y: 4.5}, {X: 22, Y: 2}, {X: 28, Y: 7}, {X: 35, Y: 4.5},
	{X: 10, Y: 10.5}, {X: 30, Y: 10.5},
	{X: 3, Y: 22}, {X: 14, Y: 15}, {X: 21.5, Y: 20}, {X: 29.5, Y: 22}, {X: 37, Y: 15}, {X: 37, Y: 22},
}

const mountHeight = 2.7

// segment is a straight piece of wall; loss is what it takes from a signal in dB.
type segment struct {
	a, b schema.Point
	loss float64
}

const (
	innerLoss = 4.0 // plasterboard on studs, a common measurement at 2.4 GHz
	outerLoss = 10.0
)

// walls returns the walls with the doors cut out.
func walls() []segment {
	all := []segment{
		wall(0, 0, 40, 0, outerLoss), wall(40, 0, 40, 25, outerLoss), wall(0, 25, 40, 25, outerLoss), wall(0, 0, 0, 25, outerLoss),
	}
	for _, w := range [...]segment{
		wall(0, 9, 40, 9, innerLoss), wall(0, 12, 40, 12, innerLoss), wall(34, 18, 40, 18, innerLoss),
		wall(12, 0, 12, 9, innerLoss), wall(20, 0, 20, 9, innerLoss), wall(30, 0, 30, 9, innerLoss),
		wall(18, 12, 18, 25, innerLoss), wall(25, 12, 25, 25, innerLoss), wall(34, 12, 34, 25, innerLoss),
	} {
		all = append(all, cutDoors(w)...)
	}
	return all
}

func wall(x0, y0, x1, y1, loss float64) segment {
	return segment{schema.Point{X: x0, Y: y0}, schema.Point{X: x1, Y: y1}, loss}
}

// cutDoors returns the pieces of an axis-parallel wall between its doors.
func cutDoors(w segment) []segment {
	length := math.Hypot(w.b.X-w.a.X, w.b.Y-w.a.Y)
	ux, uy := (w.b.X-w.a.X)/length, (w.b.Y-w.a.Y)/length
	pieces := []segment{w}
	for _, d := range doors {
		along := (d.at.X-w.a.X)*ux + (d.at.Y-w.a.Y)*uy
		across := (d.at.X-w.a.X)*uy - (d.at.Y-w.a.Y)*ux
		if math.Abs(across) > 1e-9 || along < 0 || along > length {
			continue
		}
		point := func(s float64) schema.Point { return schema.Point{X: w.a.X + s*ux, Y: w.a.Y + s*uy} }
		var next []segment
		for _, p := range pieces {
			from, to := (p.a.X-w.a.X)*ux+(p.a.Y-w.a.Y)*uy, (p.b.X-w.a.X)*ux+(p.b.Y-w.a.Y)*uy
			if along < from || along > to {
				next = append(next, p)
				continue
			}
			next = append(next, segment{p.a, point(along - doorWidth/2), w.loss}, segment{point(along + doorWidth/2), p.b, w.loss})
		}
		pieces = next
	}
	return pieces
}

// crosses reports whether the open segments pq and s intersect.
func (s segment) crosses(p, q schema.Point) bool {
	d1, d2 := side(s.a, s.b, p), side(s.a, s.b, q)
	d3, d4 := side(p, q, s.a), side(p, q, s.b)
	return d1*d2 < 0 && d3*d4 < 0
}

// side is positive when r lies left of the line from p to q.
func side(p, q, r schema.Point) float64 {
	return (q.X-p.X)*(r.Y-p.Y) - (q.Y-p.Y)*(r.X-p.X)
}

// route returns the door that comes next on the shortest way (in doors) from
// one area to another, for every pair; -1 on the diagonal.
func routes() [len(areas)][len(areas)]int {
	var next [len(areas)][len(areas)]int
	for to := range areas {
		for from := range areas {
			next[from][to] = -1
		}
		for queue := []int{to}; len(queue) > 0; queue = queue[1:] {
			for i, d := range doors {
				for _, way := range [...][2]int{{d.a, d.b}, {d.b, d.a}} {
					if from := way[1]; way[0] == queue[0] && from != to && next[from][to] < 0 {
						next[from][to] = i
						queue = append(queue, from)
					}
				}
			}
		}
	}
	return next
}

func (d door) other(side int) int {
	if d.a == side {
		return d.b
	}
	return d.a
}
