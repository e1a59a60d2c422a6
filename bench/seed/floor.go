package seed

import (
	"mybeacon/engine/modules/ble/store"
	"mybeacon/schema"
)

// A floor is a corridor from west to east with rooms on both sides, in metres. The
// corridor is no zone.
const (
	width    = 48.0
	depth    = 24.0
	bay      = 8.0 // width of the smallest room
	corridor = 10.5
	beyond   = 13.5 // the corridor's other side
	stairsX  = 47.0
	entryX   = 1.0
	middle   = (corridor + beyond) / 2
)

// words is a name in both languages.
type words struct{ ru, en string }

func (w words) in(language string) string {
	if language == "ru" {
		return w.ru
	}
	return w.en
}

// rect is a room or a part of one.
type rect struct{ x0, y0, x1, y1 float64 }

func (r rect) holds(p schema.Point) bool {
	return p.X >= r.x0 && p.X < r.x1 && p.Y >= r.y0 && p.Y < r.y1
}

func (r rect) corners() []store.Corner {
	return []store.Corner{{r.x0, r.y0}, {r.x1, r.y0}, {r.x1, r.y1}, {r.x0, r.y1}}
}

// room is a zone, perhaps with parts.
type room struct {
	name words
	rect
	staff  float64 // share of people that work here
	visits float64 // how much others like to come by
	goods  float64 // share of things that lie here
	parts  []part
}

type part struct {
	name words
	rect
}

// door is where one enters from the corridor.
func (r *room) door() schema.Point {
	y := corridor
	if r.y0 >= beyond {
		y = beyond
	}
	return schema.Point{X: (r.x0 + r.x1) / 2, Y: y}
}

type floor struct {
	name  words
	rooms []room
}

// south and north make rooms of whole bays, from the first to before the last.
func south(first, last int) rect {
	return rect{float64(first) * bay, 0, float64(last) * bay, corridor}
}
func north(first, last int) rect {
	return rect{float64(first) * bay, beyond, float64(last) * bay, depth}
}

func floors() []floor {
	return []floor{
		{words{"Первый этаж", "Ground floor"}, []room{
			{words{"Торговый зал", "Sales floor"}, south(0, 3), 9, 4, 1, []part{{words{"Кассы", "Checkouts"}, rect{4, 5, 12, 10}}, {words{"Выкладка", "Shelves"}, rect{13, 0.5, 23, 7}}}},
			{words{"Приёмная", "Reception"}, south(3, 4), 2, 2, 0, nil},
			{words{"Столовая", "Canteen"}, south(4, 6), 2, 6, 0.5, nil},
			{words{"Склад", "Warehouse"}, north(0, 3), 6, 2, 8, []part{{words{"Холодная камера", "Cold store"}, rect{1, 16, 8, 23}}}},
			{words{"Мастерская", "Workshop"}, north(3, 5), 5, 1, 3, nil},
			{words{"Погрузка", "Loading dock"}, north(5, 6), 2, 2, 2, nil},
		}},
		{words{"Второй этаж", "First floor"}, []room{
			{words{"Бухгалтерия", "Accounting"}, south(0, 2), 4, 1, 0.5, nil},
			{words{"Отдел продаж", "Sales office"}, south(2, 4), 6, 2, 0.5, nil},
			{words{"Переговорная", "Meeting room"}, south(4, 5), 0, 4, 0.2, nil},
			{words{"Кухня", "Kitchen"}, south(5, 6), 0, 5, 0.2, nil},
			{words{"Открытый офис", "Open space"}, north(0, 3), 9, 2, 1, []part{{words{"Тихая зона", "Quiet corner"}, rect{1, 18, 7, 23.5}}}},
			{words{"Архив", "Archive"}, north(3, 4), 0, 0.5, 1, nil},
			{words{"Кабинет директора", "Director"}, north(4, 5), 1, 0.5, 0.1, nil},
			{words{"Серверная", "Server room"}, north(5, 6), 0, 0.3, 1, nil},
		}},
		{words{"Третий этаж", "Second floor"}, []room{
			{words{"Лаборатория", "Laboratory"}, south(0, 3), 5, 1, 4, []part{{words{"Чистая комната", "Clean room"}, rect{14, 1, 23, 8}}}},
			{words{"Учебный класс", "Training room"}, south(3, 5), 0, 2, 0.5, nil},
			{words{"Комната отдыха", "Lounge"}, south(5, 6), 0, 3, 0.2, nil},
			{words{"Испытания", "Test hall"}, north(0, 4), 4, 1, 3, nil},
			{words{"Хранилище", "Vault"}, north(4, 6), 0, 0.5, 5, nil},
		}},
	}
}

// place is a room of a floor.
type place struct{ floor, room int }

// zone is the innermost zone of a point: its number in [Life.Zones] and that of the
// zone that is no part; -1 is outside.
func (l *Life) zone(floor int, p schema.Point) (inner, whole int) {
	for r := range l.floors[floor].rooms {
		room := &l.floors[floor].rooms[r]
		if !room.holds(p) {
			continue
		}
		whole = l.index[place{floor, r}]
		for i := range room.parts {
			if room.parts[i].holds(p) {
				return whole + 1 + i, whole
			}
		}
		return whole, whole
	}
	return outside, outside
}

const outside = -1
