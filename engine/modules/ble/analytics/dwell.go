package analytics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"mybeacon/schema"
)

// By is what dwell is added up by.
type By string

// The ways to add dwell up. A weekday is 1, Monday, to 7.
const (
	ByZone        By = "zone"
	ByTag         By = "tag"
	ByTagZone     By = "tag_zone"
	ByHour        By = "hour"
	ByWeekday     By = "weekday"
	ByDay         By = "day"
	ByHourWeekday By = "hour_weekday"
)

// keys are the expressions of a way: of the tag, the zone, the day, the weekday and the
// hour. local is the moment of a piece in the question's zone.
func (by By) keys() (tag, zone, day, weekday, hour string) {
	const local = "fromUnixTimestamp64Milli(a, {tz:String})"
	tag, zone, day, weekday, hour = noID, noID, "toDate('1970-01-01')", "toUInt8(0)", "toUInt8(0)"
	switch by {
	case ByZone:
		zone = "zone"
	case ByTag:
		tag = "tag"
	case ByTagZone:
		tag, zone = "tag", "zone"
	case ByDay:
		day = "toDate(" + local + ")"
	case ByWeekday:
		weekday = "toDayOfWeek(" + local + ")"
	case ByHour:
		hour = "toHour(" + local + ")"
	case ByHourWeekday:
		weekday, hour = "toDayOfWeek("+local+")", "toHour("+local+")"
	}
	return tag, zone, day, weekday, hour
}

// timed reports whether the way needs pieces of days.
func (by By) timed() bool { return by != ByZone && by != ByTag && by != ByTagZone }

// zoned reports whether zones stand side by side, parts too.
func (by By) zoned() bool { return by == ByZone || by == ByTagZone }

// DwellKey is what a row is of; fields that the way does not have are zero.
type DwellKey struct {
	Tag     schema.TagID
	Zone    schema.ZoneID // zero in a way that has zones: outside
	Day     string        // YYYY-MM-DD
	Weekday uint8         // 1 is Monday
	Hour    uint8
}

// Dwell is a row of an answer.
type Dwell struct {
	DwellKey
	ZonesMs   int64  // in zones; in a row of a zone, in it
	OutsideMs int64  // heard outside of all zones
	Visits    uint64 // that touch the time
	Tags      uint64 // of those visits
}

// Dwell adds up who stayed how long, the longest first; in ways by time, by time.
// Without zones in the question, time outside of all is there too: as rows of the zero
// zone where zones stand side by side.
func (a *Analytics) Dwell(ctx context.Context, q *Query, by By) ([]Dwell, error) {
	table, s, err := a.stays(ctx, q)
	if err != nil {
		return nil, err
	}
	found := map[DwellKey]*Dwell{}
	if err := a.dwellInZones(ctx, q, by, table, s, found); err != nil {
		return nil, err
	}
	if len(q.Zones) == 0 {
		if err := a.dwellOutside(ctx, q, by, table, s, found); err != nil {
			return nil, err
		}
	}
	out := make([]Dwell, 0, len(found))
	for _, d := range found {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(x, y Dwell) int { return compareDwell(by, x, y) })
	return out, nil
}

func compareDwell(by By, x, y Dwell) int {
	if by.timed() {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Weekday, y.Weekday), cmp.Compare(x.Hour, y.Hour))
	}
	return cmp.Or(cmp.Compare(y.ZonesMs+y.OutsideMs, x.ZonesMs+x.OutsideMs), cmp.Compare(x.Tag.String(), y.Tag.String()), cmp.Compare(x.Zone.String(), y.Zone.String()))
}

// maxGroups is how many rows a way may make: ten thousand tags in some zones each.
const maxGroups = 200_000

func (a *Analytics) dwellInZones(ctx context.Context, q *Query, by By, table string, s *statement, found map[DwellKey]*Dwell) error {
	if by.timed() {
		table = piecesOf(table, q.step())
	}
	tag, zone, day, weekday, hour := by.keys()
	where := "1"
	if !by.zoned() {
		where = q.once()
	}
	sql := fmt.Sprintf(`SELECT %s AS k_tag, %s AS k_zone, toString(%s) AS k_day, %s AS k_weekday, %s AS k_hour, sum(b - a), uniqExact(visit_id), uniqExact(tag)
FROM %s WHERE %s GROUP BY k_tag, k_zone, k_day, k_weekday, k_hour LIMIT %d`, tag, zone, day, weekday, hour, table, where, maxGroups+1)
	return a.ask(ctx, "dwell", sql, s, func(rows driver.Rows) error {
		var d Dwell
		if err := scanDwell(rows, &d, &d.ZonesMs, &d.Visits, &d.Tags); err != nil {
			return err
		}
		return admit(found, &d)
	})
}

func (a *Analytics) dwellOutside(ctx context.Context, q *Query, by By, table string, s *statement, found map[DwellKey]*Dwell) error {
	heard, err := a.heard(ctx, q, s)
	if err != nil {
		return err
	}
	step := int64(24 * time.Hour / time.Millisecond) // only to bound what is laid over each other
	if by.timed() {
		step = q.step()
	}
	tag, _, day, weekday, hour := by.keys()
	sql := fmt.Sprintf(`SELECT %s AS k_tag, %s AS k_zone, toString(%s) AS k_day, %s AS k_weekday, %s AS k_hour, sum(ms), toUInt64(0), uniqExact(tag)
FROM (SELECT *, first AS a FROM %s) WHERE ms > 0 GROUP BY k_tag, k_zone, k_day, k_weekday, k_hour LIMIT %d`,
		tag, noID, day, weekday, hour, outsidePieces(heard, table, step), maxGroups+1)
	return a.ask(ctx, "time outside zones", sql, s, func(rows driver.Rows) error {
		var d Dwell
		if err := scanDwell(rows, &d, &d.OutsideMs, &d.Visits, &d.Tags); err != nil {
			return err
		}
		if !by.zoned() {
			d.Tags = 0 // those of visits are counted
		}
		return admit(found, &d)
	})
}

func scanDwell(rows driver.Rows, d *Dwell, ms *int64, visits, tags *uint64) error {
	err := rows.Scan((*uuid.UUID)(&d.Tag), (*uuid.UUID)(&d.Zone), &d.Day, &d.Weekday, &d.Hour, ms, visits, tags)
	if d.Day == "1970-01-01" {
		d.Day = ""
	}
	return err
}

// admit adds a row to what was found of the same key.
func admit(found map[DwellKey]*Dwell, d *Dwell) error {
	old := found[d.DwellKey]
	switch {
	case old == nil && len(found) >= maxGroups:
		return schema.Errorf(schema.TooLarge, "by", "there are more than %d rows; take a shorter time, one plan or fewer tags", maxGroups)
	case old == nil:
		found[d.DwellKey] = d
		return nil
	}
	old.ZonesMs += d.ZonesMs
	old.OutsideMs += d.OutsideMs
	old.Visits += d.Visits
	old.Tags += d.Tags
	return nil
}
