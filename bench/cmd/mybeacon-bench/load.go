package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"mybeacon/bench/crash"
	"mybeacon/bench/load"
	"mybeacon/bench/rig"
	"mybeacon/bench/soak"
	"mybeacon/engine/embedded/chhost"
	"mybeacon/schema"
)

// loadCmds are the commands about load and failure.
type loadCmds struct {
	Ingest         ingestCmd  `cmd:"" help:"Measure how much the way in carries, and how fast it answers."`
	Fences         fencesCmd  `cmd:"" help:"Measure position updates against zones, events delivered to a live map."`
	Crash          crashCmd   `cmd:"" help:"Kill the server again and again and count what is lost."`
	Soak           soakCmd    `cmd:"" help:"Keep a server under load, disturb it in every way, and tell how it got over it."`
	Sockets        socketsCmd `cmd:"" help:"Connect many scanners that have nothing to say and measure what they cost."`
	ClickHouseHost hostCmd    `cmd:"" name:"clickhouse-host" hidden:""`
}

// serverLog is where the measured servers' warnings go.
func serverLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type ingestCmd struct {
	Tags      int    `help:"How many tags walk." default:"2000" placeholder:"N"`
	Receivers int    `help:"How many receivers there are; up to twelve hear a tag." default:"12" placeholder:"N"`
	Seconds   int    `help:"How long each part is measured." default:"20" placeholder:"N"`
	Stage     string `help:"What is measured: ${enum}." enum:"full,decode" default:"full"`
	Seed      uint64 `help:"What decides all that is random." default:"1" placeholder:"N"`
	Runtime   string `help:"Directory of the embedded stores' binaries." placeholder:"DIR"`
	JSON      bool   `help:"Print one JSON object."`
}

// Run implements the command.
func (c *ingestCmd) Run(ctx context.Context, stdout io.Writer) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's own file: %w", err)
	}
	figures, err := load.Ingest(ctx, load.Config{
		Tags: c.Tags, Receivers: c.Receivers, Seconds: c.Seconds, Stage: c.Stage, Seed: c.Seed,
		Executable: exe, Runtime: c.Runtime, Log: serverLog(),
	})
	return tell(stdout, figures, c.JSON, err)
}

type fencesCmd struct {
	Zones   int    `help:"How many zones the plan has." default:"100" placeholder:"N"`
	Tags    int    `help:"How many tags walk." default:"10000" placeholder:"N"`
	Seconds int    `help:"How long it is measured." default:"10" placeholder:"N"`
	Seed    uint64 `help:"What decides all that is random." default:"1" placeholder:"N"`
	JSON    bool   `help:"Print one JSON object."`
}

// Run implements the command.
func (c *fencesCmd) Run(ctx context.Context, stdout io.Writer) error {
	figures, err := load.Fences(ctx, load.FencesConfig{Zones: c.Zones, Tags: c.Tags, Seconds: c.Seconds, Seed: c.Seed})
	return tell(stdout, figures, c.JSON, err)
}

type crashCmd struct {
	Kills int    `help:"How often the server is killed." default:"20" placeholder:"N"`
	Tags  int    `help:"How many tags the simulated site has." default:"60" placeholder:"N"`
	Seed  uint64 `help:"What decides all that is random." default:"1" placeholder:"N"`
	program
	JSON bool `help:"Print one JSON object."`
}

// Run implements the command.
func (c *crashCmd) Run(ctx context.Context, stdout io.Writer) error {
	measured, err := c.find()
	if err != nil {
		return err
	}
	cfg := crash.DefaultConfig()
	cfg.Kills, cfg.Tags, cfg.Seed, cfg.Program, cfg.Log = c.Kills, c.Tags, c.Seed, measured, serverLog()
	figures, err := crash.Run(ctx, cfg)
	return tell(stdout, figures, c.JSON, err)
}

// program is the server to measure.
type program struct {
	Server  string `help:"The server's program; by default mybeacon beside this one." placeholder:"FILE"`
	Runtime string `help:"Directory of the embedded stores' binaries." placeholder:"DIR"`
}

// find returns the program that was named, or mybeacon beside this one.
func (p program) find() (rig.Program, error) {
	if p.Server != "" {
		return rig.Program{File: p.Server, Runtime: p.Runtime}, nil
	}
	exe, err := os.Executable()
	if err != nil {
		return rig.Program{}, fmt.Errorf("find this program's own file: %w", err)
	}
	return rig.Program{File: filepath.Join(filepath.Dir(exe), "mybeacon"), Runtime: p.Runtime}, nil
}

type soakCmd struct {
	Minutes int    `help:"How long the load lasts; comparing takes a third of it more. In full size at least 150." default:"10" placeholder:"N"`
	Full    bool   `help:"Make the faults as large as the requirements ask: half an hour without the warehouse, 5,000 slow sockets, 10 million broken messages."`
	Tags    int    `help:"How many tags the simulated site has." default:"60" placeholder:"N"`
	Seed    uint64 `help:"What decides all that is random." default:"1" placeholder:"N"`
	program
	JSON bool `help:"Print one JSON object."`
}

// Run implements the command.
func (c *soakCmd) Run(ctx context.Context, stdout io.Writer) error {
	measured, err := c.find()
	if err != nil {
		return err
	}
	cfg := soak.DefaultConfig()
	cfg.Minutes, cfg.Full, cfg.Tags, cfg.Seed, cfg.Program, cfg.Log = c.Minutes, c.Full, c.Tags, c.Seed, measured, serverLog()
	figures, err := soak.Run(ctx, cfg)
	return tell(stdout, figures, c.JSON, err)
}

type socketsCmd struct {
	Sockets int `help:"How many scanners are connected." default:"2000" placeholder:"N"`
	Seconds int `help:"For how long they are idle." default:"120" placeholder:"N"`
	program
	JSON bool `help:"Print one JSON object."`
}

// Run implements the command.
func (c *socketsCmd) Run(ctx context.Context, stdout io.Writer) error {
	measured, err := c.find()
	if err != nil {
		return err
	}
	figures, err := soak.Sockets(ctx, soak.SocketsConfig{Sockets: c.Sockets, Seconds: c.Seconds, Program: measured})
	return tell(stdout, figures, c.JSON, err)
}

// figures is the outcome of a measurement.
type figures interface {
	json.Marshaler
	WriteText(io.Writer) error
}

// tell prints the figures, or returns why there are none: what cannot be served as
// asked is wrong usage.
func tell(w io.Writer, f figures, asJSON bool, err error) error {
	var e *schema.Error
	switch {
	case errors.As(err, &e) && e.Kind == schema.Invalid:
		return usageError{err}
	case err != nil:
		return err
	case asJSON:
		return json.NewEncoder(w).Encode(f)
	}
	return f.WriteText(w)
}

// hostCmd is the embedded warehouse's process, started by the measured server.
type hostCmd struct {
	Args []string `arg:"" optional:"" passthrough:""`
}

// Run implements the command.
func (c *hostCmd) Run() error {
	if code := chhost.Main(c.Args); code != 0 {
		return fmt.Errorf("the warehouse ended with code %d", code)
	}
	return nil
}
