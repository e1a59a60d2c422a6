package export_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"mybeacon/engine/export"
)

// Rows that are pushed are written as they are, and what the source says of its end is
// said.
func TestPushed(t *testing.T) {
	columns := []export.Column{{Name: "n", Kind: export.Integer}}
	lost := errors.New("the warehouse went away")
	for name, end := range map[string]error{"whole": nil, "broken": lost} {
		rows := export.Pushed(t.Context(), func(_ context.Context, row func([]any) error) error {
			for n := range 1000 {
				if err := row([]any{n}); err != nil {
					return err
				}
			}
			return end
		})
		result, err := export.Write(io.Discard, export.CSV, columns, rows)
		if result.Rows != 1000 || !errors.Is(err, end) {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Closing ends a source that has more, at once and with its context.
func TestPushedIsClosed(t *testing.T) {
	ended := false
	rows := export.Pushed(t.Context(), func(ctx context.Context, row func([]any) error) error {
		defer func() { ended = ctx.Err() != nil }()
		for {
			if err := row([]any{1}); err != nil {
				return err
			}
		}
	})
	for range 3 {
		if !rows.Next() {
			t.Fatal("no row")
		}
	}
	if err := errors.Join(rows.Close(), rows.Err()); err != nil || !ended {
		t.Errorf("%v, ended %t", err, ended)
	}
	if rows.Next() {
		t.Error("a row after Close")
	}
}
