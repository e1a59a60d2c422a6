package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"mybeacon/bench/analytics"
	"mybeacon/bench/seed"
	"mybeacon/engine/node"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

type analyticsCmd struct {
	Data    string `help:"Data directory that 'mybeacon seed ble' filled, of a server that is stopped; by default one is filled and removed." type:"path" placeholder:"DIR"`
	Days    int    `help:"Days to fill." default:"30" placeholder:"N"`
	Tags    int    `help:"Tags to fill." default:"1000" placeholder:"N"`
	Runs    int    `help:"How often each question is asked, after once to warm up." default:"5" placeholder:"N"`
	RollUp  bool   `help:"Make the roll-ups that are missing first." default:"true" negatable:""`
	Runtime string `help:"Directory of the embedded stores' binaries." env:"MYBEACON_RUNTIME" placeholder:"DIR"`
	JSON    bool   `help:"Print one JSON object."`
}

// organisation is the one that 'mybeacon seed ble' makes by default.
const organisation = "MyBeacon Demo History"

// Run implements the command.
func (c *analyticsCmd) Run(ctx context.Context, stdout io.Writer) (err error) {
	if c.Runs < 1 || c.Runs > 1000 {
		return usageError{fmt.Errorf("runs: %d must be 1 to 1000", c.Runs)}
	}
	cfg := node.DefaultConfig()
	cfg.Data, cfg.Runtime, cfg.Log = c.Data, c.Runtime, serverLog()
	if cfg.Executable, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program's own file: %w", err)
	}
	if c.Data == "" {
		if cfg.Data, err = os.MkdirTemp("", "mybeacon-analytics-"); err != nil {
			return err
		}
		defer os.RemoveAll(cfg.Data) // what is left in the system's temporary folder is only disk
	}
	return node.WithStores(ctx, cfg, func(ctx context.Context, db *postgres.DB, warehouse *clickhouse.DB) error {
		if c.Data == "" {
			_, err := seed.Fill(ctx, seed.Config{
				DB: db, Warehouse: warehouse, Organisation: organisation, Language: "en", TimeZone: "Europe/Moscow",
				Days: c.Days, Tags: c.Tags, Seed: 1, Now: time.Now(),
			})
			if err != nil {
				return err
			}
		}
		about, err := find(ctx, db, warehouse)
		if err != nil {
			return err
		}
		about.Runs, about.RollUp = c.Runs, c.RollUp
		figures, err := analytics.Measure(ctx, about)
		if err != nil {
			return err
		}
		return c.tell(stdout, figures)
	})
}

// find looks up the seeded site and its time.
func find(ctx context.Context, db *postgres.DB, warehouse *clickhouse.DB) (analytics.Config, error) {
	about := analytics.Config{Warehouse: warehouse}
	const site = `SELECT l.org, l.id, l.time_zone, p.id, p.max_x, p.max_y,
		(SELECT t.id FROM ble_tag t WHERE t.org = l.org AND t.type = 'person' ORDER BY t.id LIMIT 1)
		FROM location l JOIN organisation o ON o.id = l.org JOIN ble_plan p ON p.location = l.id
		WHERE o.name = $1 ORDER BY l.created_at, p.level LIMIT 1`
	var zone string
	err := db.In(postgres.AllOrganisations()).QueryRow(ctx, site, organisation).
		Scan(&about.Organisation, &about.Location, &zone, &about.Plan, &about.Bounds.Max.X, &about.Bounds.Max.Y, &about.Tag)
	if err != nil {
		return about, schema.Errorf(schema.NotFound, "data", "no site that 'mybeacon seed ble' made is there: %v", err)
	}
	if about.In, err = time.LoadLocation(zone); err != nil {
		return about, err
	}
	var last time.Time
	var days uint64
	if err := warehouse.Conn().QueryRow(ctx, "SELECT max(at), uniqExact(toDate(at, '"+zone+"')) FROM fixes").Scan(&last, &days); err != nil {
		return about, fmt.Errorf("ask for the time of the fixes: %w", err)
	}
	last = last.In(about.In)
	about.To = time.Date(last.Year(), last.Month(), last.Day()+1, 0, 0, 0, 0, about.In)
	about.From = about.To.AddDate(0, 0, -int(days))
	return about, nil
}

func (c *analyticsCmd) tell(w io.Writer, f analytics.Figures) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(f)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%d fixes (%d MB), %d visits; %d of %d days rolled up (%d MB) in %.0f s\n", f.Fixes, f.FixesBytes>>20, f.Visits, f.RolledUp, f.Days, f.RollupBytes>>20, f.RollUpS)
	fmt.Fprintln(table, "QUERY\tROWS\tP50 MS\tP95 MS")
	for _, q := range f.Queries {
		fmt.Fprintf(table, "%s\t%d\t%.0f\t%.0f\n", q.Query, q.Rows, q.P50MS, q.P95MS)
	}
	return table.Flush()
}
