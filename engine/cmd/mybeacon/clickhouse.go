package main

import (
	"fmt"

	"mybeacon/engine/embedded"
	"mybeacon/engine/embedded/chhost"
	"mybeacon/engine/store/clickhouse"
)

type queryCmd struct {
	SQL    string `arg:"" help:"The statement; it may only read."`
	Data   string `help:"Data directory of the running server." default:"data" env:"MYBEACON_DATA" placeholder:"DIR"`
	Format string `help:"ClickHouse's output format." default:"TabSeparated" placeholder:"F"`
}

// Run implements the command.
func (c *queryCmd) Run(e *env) error {
	endpoint, err := embedded.ReadEndpoint(c.Data)
	if err != nil {
		return err
	}
	return clickhouse.Query(e.ctx, endpoint.URL, c.SQL, c.Format, e.stdout)
}

// hostCmd is the embedded warehouse's process, started by the server.
type hostCmd struct {
	Args []string `arg:"" optional:"" passthrough:""`
}

// Run implements the command.
func (c *hostCmd) Run(*env) error {
	if code := chhost.Main(c.Args); code != 0 {
		return &exitError{code: code, text: ""}
	}
	return nil
}

type versionCmd struct{}

// Run implements the command.
func (versionCmd) Run(e *env) error {
	_, err := fmt.Fprintln(e.stdout, "mybeacon", version())
	return err
}
