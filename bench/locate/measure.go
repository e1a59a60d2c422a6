package locate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"mybeacon/actors/tag"
	"mybeacon/bench/recording"
	"mybeacon/schema"
)

// Config says what of a recording is measured.
type Config struct {
	Track   string // only tracks whose names begin so; empty is all
	Without string // the name of a receiver that is dead: on the plan, and silent
	// Survey is given to the engine as its plan's survey; nil is none.
	Survey []recording.SurveyPoint
	// SurveyPoints is to how many points the survey is thinned, by SurveySeed; 0
	// leaves it whole. See [Thin].
	SurveyPoints int
	SurveySeed   uint64
	// LeaveOneRunOut lets the engine learn the zones from the true zones of all other
	// tracks that are measured, and only from those.
	LeaveOneRunOut bool
}

// Validate reports a choice that the site does not offer, and what it offers.
func (c Config) Validate(site *recording.Site) error {
	if !slices.ContainsFunc(site.Tracks, c.takes) {
		names := make([]string, len(site.Tracks))
		for i, t := range site.Tracks {
			names[i] = t.Name
		}
		return schema.Errorf(schema.Invalid, "track", "no track begins with %.80q; there are %s", c.Track, some(names))
	}
	names := make([]string, len(site.Receivers))
	for i, r := range site.Receivers {
		names[i] = r.Name
	}
	if c.Without != "" && !slices.Contains(names, c.Without) {
		return schema.Errorf(schema.Invalid, "without", "there is no receiver %.80q; there are %s", c.Without, some(names))
	}
	if c.SurveyPoints < 0 || c.SurveyPoints > 0 && len(c.Survey) == 0 {
		return schema.Errorf(schema.Invalid, "survey-points", "%d points cannot be had: the number is above 0, and of a survey that is given", c.SurveyPoints)
	}
	return nil
}

func (c Config) takes(t recording.Track) bool { return strings.HasPrefix(t.Name, c.Track) }

// some lists names, but not thousands.
func some(names []string) string {
	const most = 30
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return strings.Join(names, ", ")
}

// Truths gives what really happened. It is asked after the engine has finished.
// Without such truth the rows are empty.
type Truths interface {
	Truth() ([]recording.Truth, error)
	ZoneTruth() ([]recording.ZoneTruth, error)
}

// Folder is the truth in a recording's folder.
type Folder struct{ Dir fs.FS }

// Truth implements [Truths].
func (f Folder) Truth() ([]recording.Truth, error) { return ifThere(recording.ReadTruth(f.Dir)) }

// ZoneTruth implements [Truths].
func (f Folder) ZoneTruth() ([]recording.ZoneTruth, error) {
	return ifThere(recording.ReadZoneTruth(f.Dir))
}

func ifThere[T any](rows []T, err error) ([]T, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return rows, err
}

// Measure gives the tracks of a site to the engine and says how right it was.
// The errors are those of cfg.Validate, of the truth, and of ctx.
func Measure(ctx context.Context, site *recording.Site, cfg Config, truths Truths) (Figures, error) {
	trails, known, err := observe(ctx, site, cfg, truths)
	if err != nil {
		return Figures{}, err
	}
	return figuresOf(site, cfg, known, trails), nil
}

func figuresOf(site *recording.Site, cfg Config, known *truth, trails []trail) Figures {
	figures := score(known, trails)
	figures.Dataset, figures.Mode = site.Name, mode(cfg, trails)
	return figures
}

// observe lets the engine follow the tracks, and then opens the truth.
func observe(ctx context.Context, site *recording.Site, cfg Config, truths Truths) ([]trail, *truth, error) {
	if err := cfg.Validate(site); err != nil {
		return nil, nil, err
	}
	if cfg.SurveyPoints > 0 {
		cfg.Survey = Thin(cfg.Survey, cfg.SurveyPoints, cfg.SurveySeed)
	}
	grow := grower(func(string) *schema.Layout { return layoutOf(site, cfg.Survey) })
	if cfg.LeaveOneRunOut {
		var err error
		if grow, err = teacher(site, cfg, truths); err != nil {
			return nil, nil, err
		}
	}
	trails, err := followAll(ctx, site, cfg, grow)
	if err != nil {
		return nil, nil, err
	}
	known, err := learn(site, truths)
	if err != nil {
		return nil, nil, fmt.Errorf("read the truth: %w", err)
	}
	return trails, known, nil
}

// grower gives the layout on which a track is measured.
type grower func(track string) *schema.Layout

// teacher returns what gives each track a layout that was taught by the others.
func teacher(site *recording.Site, cfg Config, truths Truths) (grower, error) {
	known, err := learn(site, truths)
	if err != nil {
		return nil, fmt.Errorf("read the truth: %w", err)
	}
	layout := layoutOf(site, cfg.Survey)
	examples := make(map[string][]schema.ZoneExample)
	for _, t := range site.Tracks {
		if c := known.tracks[t.Name]; c != nil && cfg.takes(t) {
			examples[t.Name] = examplesOf(layout, c, t, tag.DefaultConfig().Model)
		}
	}
	return func(track string) *schema.Layout { return taught(layout, examples, track) }, nil
}

// followAll gives the tracks to engines, one after the other.
func followAll(ctx context.Context, site *recording.Site, cfg Config, grow grower) ([]trail, error) {
	var trails []trail
	for _, t := range site.Tracks {
		if !cfg.takes(t) {
			continue
		}
		plant, err := newPlant(grow(t.Name))
		if err != nil {
			return nil, err
		}
		for _, p := range parts(t) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			trails = append(trails, follow(site, plant, p, cfg.Without))
		}
	}
	return trails, nil
}

func mode(cfg Config, trails []trail) string {
	mode := "no-survey"
	if len(cfg.Survey) > 0 {
		mode = "survey"
		if cfg.SurveyPoints > 0 {
			mode = fmt.Sprintf("survey of %d points", cfg.SurveyPoints)
		}
	}
	if len(trails) > 0 && trails[0].snapshot {
		mode += ", snapshots"
	}
	if cfg.LeaveOneRunOut {
		mode += ", zone model leave-one-run-out"
	}
	if cfg.Without != "" {
		mode += ", without " + cfg.Without
	}
	return mode
}

// snapshots is the name of a track whose instants have nothing to do with each
// other. It is the only sign of it that can be read without the truth.
const snapshots = "snapshots"

// part is what the engine follows from knowing nothing: a track, or one snapshot.
type part struct {
	track    string
	events   []recording.Event
	snapshot bool
	origin   time.Duration // of the recording: epochs are whole seconds from here
}

func parts(t recording.Track) []part {
	if t.Name != snapshots {
		return []part{{track: t.Name, events: t.Events}}
	}
	var out []part
	for first := 0; first < len(t.Events); {
		next := first + 1
		for next < len(t.Events) && t.Events[next].At == t.Events[first].At {
			next++
		}
		out = append(out, part{t.Name, t.Events[first:next], true, t.Events[first].At})
		first = next
	}
	return out
}
