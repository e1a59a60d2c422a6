// Package clickhouse holds the numbered migrations of the warehouse: plain
// statements separated by semicolons, each safe to run twice. A file that has
// landed is never edited: a change is a new file.
package clickhouse

import "embed"

// FS holds the migrations, 0001_name.sql and on.
//
//go:embed *.sql
var FS embed.FS

// Filtered returns the tables whose rows carry the organisation in a column org: an
// analyst reads his organisation's rows of them.
func Filtered() []string {
	return []string{"observations", "fixes", "zone_visits", "names", "receiver_offsets", "rederivations", "quarantine", "dwell_cells", "heard_spans"}
}

// Views returns the views over those tables, which analysts read too.
func Views() []string {
	return []string{"visits", "occupancy", "last_seen", "visit_hours", "steps", "tag_days"}
}
