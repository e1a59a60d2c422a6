package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"mybeacon/bench/seed"
	"mybeacon/engine/node"
	"mybeacon/engine/store/clickhouse"
	"mybeacon/engine/store/postgres"
)

type seedCmd struct {
	nodeFlags
	Days         int    `help:"How many whole days, up to the last midnight." default:"30" placeholder:"N"`
	Tags         int    `help:"How many people, things and carts." default:"1000" placeholder:"N"`
	Organisation string `help:"Name of the organisation; it is made unless there is one." default:"MyBeacon Demo History" placeholder:"NAME"`
	TimeZone     string `help:"Of the site." default:"Europe/Moscow" placeholder:"ZONE"`
	Language     string `help:"Language of names: ${enum}." enum:"ru,en" default:"en"`
	Seed         uint64 `help:"What decides all that is random." default:"1" placeholder:"N"`
	Again        bool   `help:"Make another such site when the organisation has one."`
	JSON         bool   `help:"Print the result as one JSON object."`
}

// Run implements the command.
func (c *seedCmd) Run(e *env) error {
	cfg, err := c.nodeFlags.config(e)
	if err != nil {
		return err
	}
	cfg.Log = warnings(e.log)
	var result seed.Result
	err = node.WithStores(atConsole(e.ctx), cfg, func(ctx context.Context, db *postgres.DB, warehouse *clickhouse.DB) error {
		result, err = seed.Fill(ctx, seed.Config{
			DB: db, Warehouse: warehouse, Organisation: c.Organisation, Language: c.Language, TimeZone: c.TimeZone,
			Days: c.Days, Tags: c.Tags, Seed: c.Seed, Again: c.Again, Now: time.Now(), Progress: c.progress(e),
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.print(e, result)
}

func (c *seedCmd) progress(e *env) func(day, days int, fixes int64) {
	return func(day, days int, fixes int64) {
		fmt.Fprintf(e.stderr, "day %d of %d, %d fixes\n", day, days, fixes)
	}
}

func (c *seedCmd) print(e *env, r seed.Result) error {
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(r)
	}
	_, err := fmt.Fprintf(e.stdout, "%s: %d plans, %d zones, %d tags\n%d fixes and %d visits from %s to %s in %.0f s\norganisation %s (%s)\nlocation     %s\n",
		r.Name, len(r.Plans), r.Zones, r.Tags, r.Fixes, r.Visits, r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), r.Seconds, r.Organisation, c.Organisation, r.Location)
	return err
}
