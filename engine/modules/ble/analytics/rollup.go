package analytics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"mybeacon/schema"
)

// Roll-ups hold what fixes say, day by day, in fewer rows that need no FINAL. A day's is
// made once the day is over. It knows which version of the day's partition of fixes it
// was made from: the newest block in it and the newest mutation of it. Whatever is written there later -
// late data that were worked in, rows that are taken back - makes another version, so
// that the day is read from the fixes again until it is made anew. An answer is never
// behind the fixes; it is only slower then.

// versionsSQL tells the versions of the days' partitions of fixes. Merges change none:
// the data version of a part that was never mutated is its oldest block, which a merge
// makes older, and says nothing.
const versionsSQL = `SELECT toDate(partition) AS day,
    concat(toString(max(max_block_number)), '.', toString(max(if(data_version = min_block_number, 0, data_version)))), max(modification_time)
FROM system.parts WHERE database = currentDatabase() AND table = 'fixes' AND active AND day >= toDate({first:String}) AND day <= toDate({last:String})
GROUP BY day ORDER BY day`

const madeSQL = `SELECT day, version FROM rollups FINAL WHERE day >= toDate({first:String}) AND day <= toDate({last:String})`

// changingSQL tells the days of which a mutation has parts to do yet.
const changingSQL = `SELECT DISTINCT toDate(splitByChar('_', arrayJoin(parts_to_do_names))[1]) FROM system.mutations
WHERE database = currentDatabase() AND table = 'fixes' AND NOT is_done`

// changing returns the days of which a mutation is under way. Their version is of the
// mutation as soon as one part is done. To be asked after [Analytics.states], so that
// what a version names and is not told here is done.
func (a *Analytics) changing(ctx context.Context) (map[time.Time]bool, error) {
	out := map[time.Time]bool{}
	err := a.ask(ctx, "mutations of fixes", changingSQL, new(statement), func(rows driver.Rows) error {
		var day time.Time
		err := rows.Scan(&day)
		out[day] = true
		return err
	})
	return out, err
}

// dayState is what is known of a day.
type dayState struct {
	day     time.Time
	version string
	written time.Time
	made    bool // the roll-up is of this version
}

// states returns the days from first to last that have fixes.
func (a *Analytics) states(ctx context.Context, first, last time.Time) ([]dayState, error) {
	args := func() *statement {
		return new(statement).set("first", first.UTC().Format(time.DateOnly)).set("last", last.UTC().Format(time.DateOnly))
	}
	var out []dayState
	err := a.ask(ctx, "days of fixes", versionsSQL, args(), func(rows driver.Rows) error {
		var d dayState
		err := rows.Scan(&d.day, &d.version, &d.written)
		out = append(out, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = a.ask(ctx, "roll-ups", madeSQL, args(), func(rows driver.Rows) error {
		var day time.Time
		var version string
		err := rows.Scan(&day, &version)
		at, found := slices.BinarySearchFunc(out, day, func(d dayState, day time.Time) int { return d.day.Compare(day) })
		if found {
			out[at].made = out[at].version == version
		}
		return err
	})
	return out, err
}

// reach is how long before a time a fix may have been made that holds into it.
const reach = time.Hour

// sources are the days in which a question's fixes lie: those that are read from
// roll-ups, and the others.
type sources struct{ rolled, raw []time.Time }

// sources looks up where the question's days are to be read. The answer is right for as
// long as nobody writes into those days; who does so while the question is being
// answered is seen by the next one.
func (a *Analytics) sources(ctx context.Context, q *Query) (sources, error) {
	days, err := a.states(ctx, q.From.Add(-reach), q.To)
	var s sources
	for _, d := range days {
		if d.made {
			s.rolled = append(s.rolled, d.day)
		} else {
			s.raw = append(s.raw, d.day)
		}
	}
	return s, err
}

// in adds the days to the statement's parameters.
func (s sources) in(to *statement) { to.set("rolled", dayArray(s.rolled)).set("raw", dayArray(s.raw)) }

func dayArray(days []time.Time) string {
	b := []byte{'['}
	for i, d := range days {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "'%s'", d.Format(time.DateOnly))
	}
	return string(append(b, ']'))
}

// quiet is for how long nobody must have written into a day's fixes before it is rolled
// up: late data come in one piece after another.
const quiet = 2 * time.Minute

// maxFailed is how many days may fail in one call of [Analytics.RollUp]: more are not
// ill, the warehouse is.
const maxFailed = 30

// RollUp makes the roll-ups of up to most days that lack one, the latest first, and
// returns how many it made. A day counts as over an hour after its end; one of which rows
// are being taken out waits until they are. A day that fails keeps no other from being made;
// the error is of all that failed. One caller at a
// time, also among processes that share the warehouse.
func (a *Analytics) RollUp(ctx context.Context, most int) (int, error) {
	now := a.clock()
	days, err := a.states(ctx, time.Unix(0, 0), now.Add(-25*time.Hour))
	if err != nil {
		return 0, err
	}
	changing, err := a.changing(ctx)
	if err != nil {
		return 0, err
	}
	made := 0
	var failed []error
	for _, d := range slices.Backward(days) {
		if made == most || len(failed) == maxFailed {
			break
		}
		if d.made || now.Sub(d.written) < quiet || changing[d.day] {
			continue
		}
		if err := a.rollUp(ctx, d); err != nil {
			failed = append(failed, fmt.Errorf("roll up %s: %w", d.day.Format(time.DateOnly), err))
			if e := (*schema.Error)(nil); ctx.Err() != nil || errors.As(err, &e) && e.Kind == schema.Unavailable {
				break // no other day would fare better
			}
			continue
		}
		made++
	}
	return made, errors.Join(failed...)
}

// rollupOf are the tables and what fills them for a day. Pieces of cells do not reach
// over a full hour; spans are as [heardSQL]'s.
func rollupOf() []struct{ table, fill string } {
	return []struct{ table, fill string }{
		{"dwell_cells", `INSERT INTO dwell_cells_next (org, day, hour, location, plan, tag, zone, cell_x, cell_y, ms, keep_days)
SELECT org, toDate({day:String}), toDateTime(k * 3600, 'UTC') AS hour, location, plan, tag, zone, cell_x, cell_y,
    sum(least(b, (k + 1) * 3600000) - greatest(a, k * 3600000)), max(keep)
FROM
(
    SELECT org, location, plan, tag, zone, toInt32(floor(x_m / 0.5)) AS cell_x, toInt32(floor(y_m / 0.5)) AS cell_y, keep_days AS keep,
        toUnixTimestamp64Milli(at) AS a, a + valid_for_ms AS b, arrayJoin(range(intDiv(a, 3600000), intDiv(greatest(b - 1, a), 3600000) + 1)) AS k
    FROM fixes FINAL WHERE toDate(at) = toDate({day:String}) AND valid_for_ms > 0
)
GROUP BY org, location, plan, tag, zone, cell_x, cell_y, k`},
		{"heard_spans", `INSERT INTO heard_spans_next (org, day, location, plan, tag, from_at, to_at, keep_days)
SELECT org, toDate({day:String}), location, plan, tag, fromUnixTimestamp64Milli(min(a), 'UTC'), fromUnixTimestamp64Milli(max(b), 'UTC'), max(keep_days)
FROM
(
    SELECT *, sum(begins) OVER (PARTITION BY org, tag, location, plan ORDER BY a ROWS UNBOUNDED PRECEDING) AS run
    FROM
    (
        SELECT *, a > max(b) OVER (PARTITION BY org, tag, location, plan ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins
        FROM
        (
            SELECT org, location, plan, tag, keep_days, toUnixTimestamp64Milli(at) AS a, a + valid_for_ms AS b
            FROM fixes FINAL WHERE toDate(at) = toDate({day:String}) AND valid_for_ms > 0
        )
    )
)
GROUP BY org, location, plan, tag, run`},
	}
}

// rollUp makes one day: each table's partition beside, then in its place, and last what
// version it is of. Cut off anywhere, the day is not known as made and is made again.
func (a *Analytics) rollUp(ctx context.Context, d dayState) error {
	began := time.Now()
	day := d.day.Format(time.DateOnly)
	for _, r := range rollupOf() {
		next := r.table + "_next"
		steps := []string{
			"DROP TABLE IF EXISTS " + next,
			"CREATE TABLE " + next + " AS " + r.table,
			r.fill + rollupBounds,
			"ALTER TABLE " + r.table + " REPLACE PARTITION '" + day + "' FROM " + next,
			"DROP TABLE " + next,
		}
		for _, sql := range steps {
			if err := a.warehouse.Exec(ctx, sql, new(statement).set("day", day).args...); err != nil {
				return explain(ctx, err, r.table)
			}
		}
	}
	const log = `INSERT INTO rollups (day, version, made_at, took_ms)
SELECT toDate({day:String}), {version:String}, now64(3), {took:UInt32}`
	s := new(statement).set("day", day).set("version", d.version).number("took", time.Since(began).Milliseconds())
	return explain(ctx, a.warehouse.Exec(ctx, log, s.args...), "the list of roll-ups")
}

// rollupBounds end a statement that makes a roll-up. Nobody waits for it, so it takes one
// thread.
const rollupBounds = "\nSETTINGS max_execution_time = 600, max_memory_usage = 3000000000, max_threads = 1, max_bytes_before_external_sort = 500000000, max_bytes_before_external_group_by = 500000000"

// heard returns the table of when the question's tags were heard: [a, b) in ms within the
// time, what follows without a gap together, within a day.
func (a *Analytics) heard(ctx context.Context, q *Query, s *statement) (string, error) {
	of, err := a.sources(ctx, q)
	if err != nil {
		return "", err
	}
	of.in(s)
	raw := fmt.Sprintf(heardSQL, q.whose())
	if len(of.rolled) == 0 {
		return raw, nil
	}
	rolled := fmt.Sprintf(`SELECT tag, plan, greatest(toUnixTimestamp64Milli(from_at), {from:Int64}) AS a, least(toUnixTimestamp64Milli(to_at), {to:Int64}) AS b
FROM heard_spans WHERE %s AND day IN ({rolled:Array(Date)}) AND from_at < %s AND to_at > %s`, q.whose(), toAt, fromAt)
	return "(" + rolled + " UNION ALL SELECT tag, plan, a, b FROM " + raw + ")", nil
}

// cells returns the table of the time for which fixes held, by square. Hours that lie in
// the time as a whole are read from roll-ups where there are; what is left of it at both
// ends, and other days, from the fixes.
func (a *Analytics) cells(ctx context.Context, q *Query, s *statement) (string, error) {
	of, err := a.sources(ctx, q)
	if err != nil {
		return "", err
	}
	of.in(s)
	where := q.whose()
	if len(q.Zones) > 0 {
		where += hasZone
	}
	first, last := q.From.Truncate(time.Hour), q.To.Truncate(time.Hour)
	if first.Before(q.From) {
		first = first.Add(time.Hour)
	}
	if len(of.rolled) == 0 || !last.After(first) {
		s.set("any", dayArray(append(slices.Clone(of.rolled), of.raw...)))
		return "(" + rawCells(where, "any", "{from:Int64}", "{to:Int64}") + ")", nil
	}
	s.number("first", first.UnixMilli()).number("last", last.UnixMilli())
	parts := fmt.Sprintf(`SELECT cell_x AS cx, cell_y AS cy, toInt64(ms) AS ms FROM dwell_cells
WHERE %s AND day IN ({rolled:Array(Date)}) AND hour >= fromUnixTimestamp64Milli({first:Int64}, 'UTC') AND hour < fromUnixTimestamp64Milli({last:Int64}, 'UTC')`, where)
	parts += " UNION ALL " + rawCells(where, "raw", "{from:Int64}", "{to:Int64}")
	if first.After(q.From) {
		parts += " UNION ALL " + rawCells(where, "rolled", "{from:Int64}", "{first:Int64}")
	}
	if q.To.After(last) {
		parts += " UNION ALL " + rawCells(where, "rolled", "{last:Int64}", "{to:Int64}")
	}
	return "(" + parts + ")", nil
}

// rawCells selects from the fixes of the days what holds from one time to another.
func rawCells(where, days, from, to string) string {
	return fmt.Sprintf(`SELECT toInt32(floor(x_m / 0.5)) AS cx, toInt32(floor(y_m / 0.5)) AS cy,
    least(toUnixTimestamp64Milli(at) + valid_for_ms, %[4]s) - greatest(toUnixTimestamp64Milli(at), %[3]s) AS ms
FROM fixes FINAL
WHERE %[1]s AND toDate(at) IN ({%[2]s:Array(Date)}) AND at >= fromUnixTimestamp64Milli(%[3]s, 'UTC') - INTERVAL 1 HOUR AND at < fromUnixTimestamp64Milli(%[4]s, 'UTC')
    AND toUnixTimestamp64Milli(at) + valid_for_ms > %[3]s`, where, days, from, to)
}

// RolledUp returns how many days there are with fixes, and how many of them are rolled up.
func (a *Analytics) RolledUp(ctx context.Context) (days, made int, err error) {
	all, err := a.states(ctx, time.Unix(0, 0), a.clock())
	for _, d := range all {
		if d.made {
			made++
		}
	}
	return len(all), made, err
}
