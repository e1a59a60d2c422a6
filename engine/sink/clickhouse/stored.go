package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"

	"mybeacon/schema"
	"mybeacon/schema/wire"
)

// storedSQL folds the numbers into ranges where they are, since a boot may have
// a million frames.
const storedSQL = `
SELECT min(seq) AS from_seq, max(seq) AS to_seq
FROM
(
    SELECT seq, seq - row_number() OVER (ORDER BY seq) AS island
    FROM
    (
        SELECT seq
        FROM observations
        WHERE org = {org:UUID} AND device = {device:UUID} AND boot_id = {boot_id:String}
          AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
        GROUP BY seq
    )
)
GROUP BY island
ORDER BY from_seq
LIMIT {max_ranges:UInt32}`

// maxStoredRanges bounds the answer. What is cut off is stored once more under
// the same key.
const maxStoredRanges = 16_384

// StoredSeqs returns of which frames of the boot ClickHouse holds rows, as sorted
// ranges. Only rows at or after since are looked at. A frame is written by one
// insert, and an insert is atomic within a day (a partition): a frame whose rows
// fall on one day is stored whole when any row of it is.
func (s *Sink) StoredSeqs(ctx context.Context, src schema.Source, bootID string, since schema.EventTime) ([]wire.SeqRange, error) {
	rows, err := s.conn.Query(ctx, storedSQL,
		clickhouse.Named("org", src.Organisation.String()), clickhouse.Named("device", src.Device.String()),
		clickhouse.Named("boot_id", bootID), clickhouse.Named("since", fmt.Sprint(int64(since))),
		clickhouse.Named("max_ranges", fmt.Sprint(maxStoredRanges)))
	if err != nil {
		return nil, fmt.Errorf("read stored frames: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []wire.SeqRange
	for rows.Next() {
		var r wire.SeqRange
		if err := rows.Scan(&r.From, &r.To); err != nil {
			return nil, fmt.Errorf("read stored frames: %w", err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read stored frames: %w", err)
	}
	return out, nil
}
