// Command mybeacon-bench measures MyBeacon: how well it finds tags, on recorded
// sites and on the simulated one, how much it carries, and what a kill costs.
//
// It is a door handle: flags become a Config, a signal ends the context, and the
// packages below bench do the work. Exit codes: 0 done, 1 failed, 2 wrong usage.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"mybeacon/bench/locate"
	"mybeacon/bench/recording"
	"mybeacon/bench/sim"
)

const (
	exitFailure = 1
	exitUsage   = 2
)

// cli is everything that can be said on the command line.
type cli struct {
	Locate    locateCmd    `cmd:"" help:"Measure positions on a recorded site."`
	Sim       simCmd       `cmd:"" help:"Measure positions on the simulated site."`
	Results   resultsCmd   `cmd:"" help:"Make the page of results about positions, with its plots."`
	Analytics analyticsCmd `cmd:"" help:"Measure how fast questions about weeks of a thousand tags are answered."`
	loadCmds
}

// usageError is an argument that was understood and cannot be served.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run parses the arguments, does the command and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	code := -1
	parser, err := kong.New(&cli{},
		kong.Name("mybeacon-bench"),
		kong.Description("Measure how well MyBeacon finds tags, how fast, and what survives a kill."),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(n int) { code = n }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(stdout, (*io.Writer)(nil)),
	)
	if err != nil {
		panic("BUG: the command line is ill-formed: " + err.Error())
	}
	command, err := parser.Parse(args)
	if code >= 0 { // --help was printed
		return code
	}
	if err != nil {
		return exitCode(usageError{err}, stderr)
	}
	return exitCode(command.Run(), stderr)
}

// exitCode tells an error and returns the code for it. Nobody is left to hear
// that stderr is closed.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(stderr, "mybeacon-bench:", err)
	if errors.As(err, &usageError{}) {
		return exitUsage
	}
	return exitFailure
}

type locateCmd struct {
	Dir     string `arg:"" help:"Folder of the recording (receivers.csv, events.csv, …)." type:"existingdir"`
	Track   string `help:"Only tracks whose names begin so." placeholder:"PREFIX"`
	Without string `help:"A receiver that is dead: on the plan, and silent." placeholder:"RX"`
	Survey  bool   `help:"Give the engine the site's survey."`

	SurveyPoints int    `help:"Thin the survey to so many points, spread evenly." placeholder:"N"`
	SurveySeed   uint64 `help:"What decides which points." default:"1" placeholder:"N"`

	ZoneModel string `help:"Learn the zones: leave-one-run-out learns those of each track from the other tracks' truth." enum:",leave-one-run-out" default:"" placeholder:"leave-one-run-out"`

	JSON bool `help:"Print one JSON object."`
}

// Run implements the command.
func (c *locateCmd) Run(ctx context.Context, stdout io.Writer) error {
	dir := os.DirFS(c.Dir)
	site, err := recording.Read(dir)
	if err != nil {
		return fmt.Errorf("read the recording: %w", err)
	}
	cfg := locate.Config{Track: c.Track, Without: c.Without, LeaveOneRunOut: c.ZoneModel != "", SurveyPoints: c.SurveyPoints, SurveySeed: c.SurveySeed}
	if c.Survey {
		if cfg.Survey, err = recording.ReadSurvey(dir, site.Receivers); err != nil {
			return fmt.Errorf("read the survey: %w", err)
		}
	}
	if err := cfg.Validate(site); err != nil {
		return usageError{err}
	}
	figures, err := locate.Measure(ctx, site, cfg, locate.Folder{Dir: dir})
	if err != nil {
		return err
	}
	return write(stdout, figures, c.JSON)
}

type simCmd struct {
	Seconds int    `help:"How long the site lives." default:"900" placeholder:"N"`
	Tags    int    `help:"How many tags there are." default:"60" placeholder:"N"`
	Seed    uint64 `help:"What decides all that is random." default:"1" placeholder:"N"`
	JSON    bool   `help:"Print one JSON object."`
}

// Run implements the command.
func (c *simCmd) Run(ctx context.Context, stdout io.Writer) error {
	cfg := sim.DefaultConfig()
	cfg.Tags, cfg.Seed = c.Tags, c.Seed
	lived, err := locate.Simulate(cfg, c.Seconds)
	if err != nil {
		return usageError{err}
	}
	figures, err := locate.Measure(ctx, lived.Site, locate.Config{}, lived)
	if err != nil {
		return err
	}
	return write(stdout, figures, c.JSON)
}

func write(w io.Writer, figures locate.Figures, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(figures)
	}
	return figures.WriteText(w)
}
