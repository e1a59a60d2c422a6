// Command mybeacon is the MyBeacon server and its tools.
//
// It is a door handle: flags, environment and file become a Config, a signal
// ends the context, and the packages do the work. Exit codes: 0 done, 1 failed,
// 2 wrong usage, 3 done in part.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

const (
	exitFailure = 1
	exitUsage   = 2
	exitPartial = 3
)

// cli is everything that can be said on the command line. Every flag can also
// be given as MYBEACON_… or in the file of --config: flags win over the
// environment, the environment over the file.
type cli struct {
	Config   kong.ConfigFlag `help:"JSON file with the long names of flags as keys." env:"MYBEACON_CONFIG" placeholder:"FILE"`
	LogLevel string          `help:"Least level that is logged: ${enum}." enum:"debug,info,warn,error" default:"info" env:"MYBEACON_LOG_LEVEL"`
	LogJSON  bool            `help:"Log as JSON lines." env:"MYBEACON_LOG_JSON"`

	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Migrate migrateCmd `cmd:"" help:"Bring both stores' schemas up to date and stop."`
	Replay  struct {
		BLE replayCmd `cmd:"" name:"ble" help:"Stream a recorded site through the scanners' door."`
	} `cmd:"" help:"Stream recordings to a server."`
	Seed struct {
		BLE seedCmd `cmd:"" name:"ble" help:"Give a demo organisation a site with a past of some weeks."`
	} `cmd:"" help:"Fill the stores of a server that is stopped."`
	ClickHouse struct {
		Query queryCmd `cmd:"" help:"Ask the running server's warehouse."`
	} `cmd:"" name:"clickhouse" help:"The warehouse."`
	User           userCmd    `cmd:"" help:"Accounts."`
	Audit          auditCmd   `cmd:"" help:"The audit log."`
	Device         deviceCmd  `cmd:"" help:"Devices."`
	ClickHouseHost hostCmd    `cmd:"" name:"clickhouse-host" hidden:""`
	Doctor         doctorCmd  `cmd:"" help:"Look at all that the server needs, and say what is wrong and what to do."`
	Version        versionCmd `cmd:"" help:"Print the version."`
}

// env is what commands need of the process.
type env struct {
	ctx    context.Context
	log    *slog.Logger
	stdout io.Writer
	stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run parses the arguments, does the command and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	code := -1
	parser, err := kong.New(&c,
		kong.Name("mybeacon"),
		kong.Description("Live positions of Bluetooth tags: server and tools."),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(n int) { code = n }),
		kong.Configuration(strictJSON),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic("BUG: the command line is ill-formed: " + err.Error())
	}
	command, err := parser.Parse(args)
	if code >= 0 { // --help was printed
		return code
	}
	if err != nil {
		fmt.Fprintln(stderr, "mybeacon:", err)
		return exitUsage
	}
	err = command.Run(&env{ctx: ctx, log: newLogger(c, stderr), stdout: stdout, stderr: stderr})
	return exitCode(err, stderr)
}

// exitError is an error with a code of its own, already told to the user when
// its text is empty.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

func exitCode(err error, stderr io.Writer) int {
	var e *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		if e.text != "" {
			fmt.Fprintln(stderr, "mybeacon:", e.text)
		}
		return e.code
	}
	fmt.Fprintln(stderr, "mybeacon:", err)
	return exitFailure
}

func newLogger(c cli, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		panic("BUG: the enum of --log-level admits " + c.LogLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
