package results

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mybeacon/schema"
)

// Config says what the page is made of, and where.
type Config struct {
	Data string // folder with the recordings flat, library and doors
	Out  string // folder that gets positioning.md and its plots
	// Now dates the page.
	Now func() time.Time
	// SimSeconds is how long the simulated sites live; zero: for many minutes.
	SimSeconds int
	// Step, if set, hears what is measured next.
	Step func(what string)
}

// Make measures everything and writes the page; it returns the names of the files. It
// takes some minutes. The errors are those of package recording when a file is broken,
// and of kind Invalid when a recording is missing.
func Make(ctx context.Context, cfg Config) ([]string, error) {
	if cfg.Step == nil {
		cfg.Step = func(string) {}
	}
	for _, name := range []string{"flat", "library", "doors"} {
		if info, err := os.Stat(filepath.Join(cfg.Data, name)); err != nil || !info.IsDir() {
			return nil, schema.Errorf(schema.Invalid, "data", "there is no recording %s in %s", name, cfg.Data)
		}
	}
	r, err := measureAll(ctx, cfg)
	if err != nil {
		return nil, err
	}
	text, err := page(r, cfg.Now())
	if err != nil {
		return nil, err
	}
	files := plots(r)
	files["positioning.md"] = text
	return write(cfg.Out, files)
}

func write(dir string, files map[string][]byte) ([]string, error) {
	var names []string
	var errs []error
	for name, text := range files {
		names = append(names, name)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil { //nolint:gosec // a page is for everybody
			errs = append(errs, fmt.Errorf("write %s: %w", name, err))
		}
	}
	slices.Sort(names)
	return names, errors.Join(errs...)
}
