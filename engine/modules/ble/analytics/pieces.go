package analytics

import (
	"fmt"
	"time"
)

// step returns the length of pieces, in ms: in each there is one day, weekday and hour.
// Clocks differ from UTC by whole hours in most zones and by quarters in the rest, and
// are moved at such a moment too.
func (q *Query) step() int64 {
	const hour, quarter = 3_600_000, 900_000
	for at := q.From; ; at = at.Add(24 * time.Hour) {
		if at.After(q.To) {
			at = q.To
		}
		if _, offset := at.In(q.in()).Zone(); offset%3600 != 0 {
			return quarter
		}
		if at.Equal(q.To) {
			return hour
		}
	}
}

// piecesOf cuts the intervals [a, b) of a table at every step: k is the number of the
// step since the epoch. A table may have rows with nothing in them (a = b); they make
// one piece.
func piecesOf(table string, step int64) string {
	return fmt.Sprintf(`
(
    SELECT * REPLACE (greatest(a, k * %[2]d) AS a, least(b, (k + 1) * %[2]d) AS b)
    FROM (SELECT *, arrayJoin(range(intDiv(a, %[2]d), intDiv(greatest(b - 1, a), %[2]d) + 1)) AS k FROM %[1]s)
)`, table, step)
}

// unionOf merges the intervals [a, b) of a table that meet, by tag: the spans of a tag may
// overlap where a fix holds over midnight, or on one plan while the next fix is on another.
func unionOf(table string) string {
	return fmt.Sprintf(`
(
    SELECT tag, min(a) AS a, max(b) AS b
    FROM
    (
        SELECT tag, a, b, sum(begins) OVER (PARTITION BY tag ORDER BY a ROWS UNBOUNDED PRECEDING) AS run
        FROM
        (
            SELECT tag, a, b, a > max(b) OVER (PARTITION BY tag ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins
            FROM (SELECT tag, u.a AS a, max(u.b) AS b FROM %s AS u GROUP BY tag, a)
        )
    )
    GROUP BY tag, run
)`, table)
}

// outsidePieces is a table of the time in which tags were heard outside of all zones,
// by tag and step: ms of it, and of the tag's being heard at all the first and last
// moment in the step. heard is a table of [Analytics.heard], stays one of visits.
//
// A visit that is open goes on: the time for which the last fix was promised to hold
// is not outside because the visit is only counted to it. Both are gathered by tag and
// step and laid over each other there: to join them costs several times as much.
func outsidePieces(heard, stays string, step int64) string {
	going := `(SELECT tag, a, if(open, {to:Int64}, b) AS b FROM ` + stays + ` WHERE parent = ` + noID + `)`
	return fmt.Sprintf(`
(
    SELECT tag, k, first, last, whole - arraySum(h -> arraySum(v -> greatest(least(h.2, v.2) - greatest(h.1, v.1), 0), inside), spans) AS ms
    FROM
    (
        SELECT tag, k, minIf(a, span) AS first, maxIf(b, span) AS last, sumIf(b - a, span) AS whole,
            groupArrayIf((a, b), span) AS spans, groupArrayIf((a, b), NOT span) AS inside
        FROM (SELECT tag, k, a, b, true AS span FROM %s UNION ALL SELECT tag, k, a, b, false AS span FROM %s)
        GROUP BY tag, k
    )
    WHERE notEmpty(spans)
)`, piecesOf(unionOf(heard), step), piecesOf(unionOf(going), step))
}

// heardSQL is a table of when tags were heard by the fixes of the raw days, [a, b) within
// [from, to): each fix for as long as it held, and what follows without a gap together.
const heardSQL = `
(
    SELECT tag, plan, min(a) AS a, max(b) AS b
    FROM
    (
        SELECT tag, plan, a, b, sum(begins) OVER (PARTITION BY tag, plan ORDER BY a ROWS UNBOUNDED PRECEDING) AS run
        FROM
        (
            SELECT tag, plan, a, b,
                a > max(b) OVER (PARTITION BY tag, plan ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins
            FROM
            (
                SELECT tag, plan, greatest(toUnixTimestamp64Milli(at), {from:Int64}) AS a,
                    least(toUnixTimestamp64Milli(at) + valid_for_ms, {to:Int64}) AS b
                FROM fixes FINAL
                WHERE %s AND toDate(at) IN ({raw:Array(Date)}) AND at >= ` + fromAt + ` - INTERVAL 1 HOUR AND at < ` + toAt + `
            )
            WHERE b > a
        )
    )
    GROUP BY tag, plan, run
)`
