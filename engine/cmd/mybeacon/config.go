package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// strictJSON reads the file of --config. Unlike kong's own reader it refuses
// keys that are no flag: a misspelt setting must not be silently ignored.
func strictJSON(r io.Reader) (kong.Resolver, error) {
	var values map[string]any
	dec := json.NewDecoder(io.LimitReader(r, 1<<20))
	dec.UseNumber()
	if err := dec.Decode(&values); err != nil {
		return nil, fmt.Errorf("the configuration file is no JSON object: %w", err)
	}
	return &fileResolver{values: values}, nil
}

type fileResolver struct{ values map[string]any }

// Validate implements [kong.Resolver].
func (f *fileResolver) Validate(app *kong.Application) error {
	known := map[string]bool{}
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	var unknown []string
	for key := range f.values {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("the configuration file has unknown keys: %s", strings.Join(unknown, ", "))
	}
	return nil
}

// Resolve implements [kong.Resolver].
func (f *fileResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, ok := lookupEnv(name); ok {
			return nil, nil // the environment wins over the file
		}
	}
	return f.values[flag.Name], nil
}
