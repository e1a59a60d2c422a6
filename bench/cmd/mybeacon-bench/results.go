package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"mybeacon/bench/results"
	"mybeacon/schema"
)

type resultsCmd struct {
	Data string `help:"Folder with the recordings flat, library and doors." required:"" type:"existingdir" placeholder:"DIR"`
	Out  string `help:"Folder for the page and its plots." default:"bench/results" type:"existingdir" placeholder:"DIR"`
}

// Run implements the command.
func (c *resultsCmd) Run(ctx context.Context, stdout io.Writer) error {
	names, err := results.Make(ctx, results.Config{
		Data: c.Data, Out: c.Out, Now: time.Now,
		Step: func(what string) { _, _ = fmt.Fprintln(os.Stderr, "measure", what) },
	})
	var e *schema.Error
	if errors.As(err, &e) && e.Field == "data" {
		return usageError{err}
	}
	for _, name := range names {
		if _, err := fmt.Fprintln(stdout, name); err != nil {
			return err
		}
	}
	return err
}
