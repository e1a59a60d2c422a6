package heard

import (
	"context"
	"errors"
	"time"

	"mybeacon/schema"
)

// Each change is stored with the offsets of all receivers, so most of a receiver's rows
// repeat the one before.
const offsetsSQL = `
SELECT toString(receiver), toUnixTimestamp64Milli(max(from_at))
FROM (
    SELECT receiver, from_at, offset_cdb,
        lagInFrame(offset_cdb, 1, toInt16(32767)) OVER (PARTITION BY receiver ORDER BY from_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM receiver_offsets FINAL
    WHERE org = {org:UUID} AND plan = {plan:UUID} AND receiver != toUUID('00000000-0000-0000-0000-000000000000')
)
WHERE offset_cdb != before
GROUP BY receiver`

// OffsetsSince returns from when on the newest offset of each of the plan's receivers
// is in force.
func OffsetsSince(ctx context.Context, w Warehouse, plan Plan) (map[schema.ReceiverID]time.Time, error) {
	type change struct {
		receiver schema.ReceiverID
		at       time.Time
	}
	rows, err := w.Query(ctx, offsetsSQL, plan.args()...)
	found, err := collect(rows, err, "read offsets", func(c *change, scan func(...any) error) error {
		var receiver string
		var at int64
		err := scan(&receiver, &at)
		c.at = time.UnixMilli(at).UTC()
		return errors.Join(err, c.receiver.UnmarshalText([]byte(receiver)))
	})
	out := make(map[schema.ReceiverID]time.Time, len(found))
	for _, c := range found {
		out[c.receiver] = c.at
	}
	return out, err
}
