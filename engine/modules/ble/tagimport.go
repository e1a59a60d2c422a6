package ble

import (
	"context"
	"slices"

	"mybeacon/engine/audit"
	"mybeacon/engine/modules/ble/store"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// What became of a line of a table.
const (
	LineCreated = "created"
	LineChanged = "changed"
	LineSame    = "same" // it says what is so already
	LineRefused = "refused"
)

// importChunk is how many lines share a transaction.
const importChunk = 1_000

// TagLine is one line of a table of tags.
type TagLine struct {
	Line        int // in the file
	Transmitter schema.Transmitter
	Type        string  // empty: as it is, an asset when it is new
	Name        string  // empty: as it is, bound to nothing when it is new
	Description *string // nil: as it is
	Err         error   // why the line is not done
	Outcome     string  // one of the above, once it was tried
}

// ImportTags registers and binds the organisation's tags of a table and returns what
// became of each line. A line that is wrong changes nothing, and the others are done.
// In a dry run all is tried, and nothing stays.
func (m *Module) ImportTags(ctx context.Context, organisation schema.OrganisationID, lines []TagLine, dry bool) ([]TagLine, error) {
	lines = slices.Clone(lines)
	seen := make(map[schema.Transmitter]int, len(lines))
	for i := range lines {
		checkLine(&lines[i], seen)
	}
	changed := false
	for chunk := range slices.Chunk(lines, importChunk) {
		wanted := make([]store.TagLine, 0, len(chunk))
		at := make([]*TagLine, 0, len(chunk))
		for i := range chunk {
			if l := &chunk[i]; l.Err == nil {
				at = append(at, l)
				wanted = append(wanted, store.TagLine{Transmitter: l.Transmitter, Type: l.Type, Name: l.Name, Description: l.Description})
			}
		}
		outcomes, err := m.store.ImportTags(ctx, organisation, wanted, dry)
		if err != nil {
			return nil, err
		}
		for i, outcome := range outcomes {
			at[i].settle(outcome)
			changed = changed || !dry && outcome != store.LineSame
		}
	}
	if changed {
		m.changed(ctx)
	}
	return lines, nil
}

func (l *TagLine) settle(outcome store.LineOutcome) {
	switch outcome {
	case store.LineCreated:
		l.Outcome = LineCreated
	case store.LineChanged:
		l.Outcome = LineChanged
	case store.LineSame:
		l.Outcome = LineSame
	default:
		l.Outcome, l.Err = LineRefused, schema.Errorf(schema.Conflict, "transmitter", "was registered by somebody else just now; import the line again")
	}
}

// checkLine refuses what a line cannot be, and a tag that stands in two.
func checkLine(l *TagLine, seen map[schema.Transmitter]int) {
	if l.Err == nil {
		l.Err = l.check()
	}
	if l.Err == nil {
		if first, twice := seen[l.Transmitter]; twice {
			l.Err = schema.Errorf(schema.Conflict, "transmitter", "stands in line %d already", first)
		} else {
			seen[l.Transmitter] = l.Line
		}
	}
	if l.Err != nil {
		l.Outcome = LineRefused
	}
}

// check checks the line as the tag that it would make of nothing.
func (l *TagLine) check() error {
	t := store.Tag{Tag: schema.Tag{Transmitter: l.Transmitter, Type: l.Type, Name: l.Name}}
	if t.Type == "" {
		t.Type = "asset"
	}
	if t.Name == "" {
		t.Name = l.Transmitter.String()
	}
	if l.Description != nil {
		t.Description = *l.Description
	}
	return checkTag(t)
}

// RecordTagExport writes down that the tags in scope leave the system.
func (m *Module) RecordTagExport(ctx context.Context, scope postgres.Scope) error {
	organisation, _ := scope.Organisation()
	return m.host.DB.Write(ctx, scope, func(tx postgres.Tx) error {
		tx.Record(audit.Entry{
			Organisation: organisation, Action: audit.Export, Object: audit.Object{Kind: "tags", Name: "tags"},
			Fields: []audit.Field{{Name: "format", New: "CSV"}},
		})
		return nil
	})
}
