package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Verify that nothing was changed in the audit log or taken out of it."`
	Export auditExportCmd `cmd:"" help:"Write the audit log out."`
}

type auditVerifyCmd struct {
	relationalFlags
	JSON bool `help:"Print the result as JSON." name:"json"`
}

// verification is what --json prints.
type verification struct {
	Entries int64          `json:"entries"`
	Broken  int64          `json:"broken"`
	Chains  int64          `json:"chains"`
	Details []audit.Broken `json:"details,omitempty"`
}

// Run implements the command. It fails when a chain is broken.
func (c *auditVerifyCmd) Run(e *env) error {
	var r audit.Result
	err := c.relational(e, func(ctx context.Context, db *postgres.DB) (err error) {
		r, err = db.VerifyAudit(ctx, postgres.AllOrganisations())
		return err
	})
	if err != nil {
		return err
	}
	if err := c.print(e, r); err != nil {
		return err
	}
	if r.Broken > 0 {
		return &exitError{code: exitFailure, text: fmt.Sprintf("the audit log is broken in %d places", r.Broken)}
	}
	return nil
}

func (c *auditVerifyCmd) print(e *env, r audit.Result) error {
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(verification{r.Entries, r.Broken, r.Chains, r.Details})
	}
	for _, b := range r.Details {
		whose := "the system's log"
		if !b.Organisation.IsZero() {
			whose = "organisation " + b.Organisation.String()
		}
		fmt.Fprintf(e.stderr, "%s, entry %d: %s: %s\n", whose, b.Seq, b.Fault, b.Detail)
	}
	_, err := fmt.Fprintf(e.stdout, "%d entries in %d chains, broken: %d\n", r.Entries, r.Chains, r.Broken)
	return err
}

type auditExportCmd struct {
	relationalFlags
	Format       string `help:"${enum}: columns for programs, or lines for people." enum:"csv,txt" default:"csv"`
	Lang         string `help:"Language of the words, ru or en; by default a text is Russian and a CSV English." enum:",ru,en" default:""`
	BOM          bool   `help:"Begin a CSV with a byte order mark." name:"bom"`
	Organisation string `help:"Of this organisation only." placeholder:"NAME" xor:"whose"`
	System       bool   `help:"Of the system only." xor:"whose"`
	From         string `help:"First day, such as 2024-01-15, or time, such as 2024-01-15T10:30:00Z." placeholder:"DAY"`
	To           string `help:"Last day, or the time before which it ends." placeholder:"DAY"`
	User         string `help:"Of the person with this e-mail only." placeholder:"EMAIL"`
	Action       string `help:"Of this action only: login, change, export, …" placeholder:"ACTION"`
	Output       string `help:"File to write; by default the standard output." short:"o" placeholder:"FILE"`
}

// Run implements the command.
func (c *auditExportCmd) Run(e *env) error {
	return c.relational(e, func(ctx context.Context, db *postgres.DB) error {
		scope, zone, err := c.whose(ctx, db)
		if err != nil {
			return err
		}
		filter, err := c.filter(zone)
		if err != nil {
			return err
		}
		if err := db.Append(ctx, scope, c.entry(scope)); err != nil {
			return err
		}
		return c.to(e.stdout, func(w io.Writer) error {
			opts := audit.ExportOptions{Format: audit.Format(c.Format), Language: audit.Language(c.Lang), Zone: zone, BOM: c.BOM}
			out, err := audit.NewWriter(w, opts)
			if err != nil {
				return err
			}
			if err := db.ExportAudit(ctx, scope, filter, out.Write); err != nil {
				return err
			}
			return out.Flush()
		})
	})
}

// whose returns the scope of the log, and the time zone of its organisation.
func (c *auditExportCmd) whose(ctx context.Context, db *postgres.DB) (postgres.Scope, *time.Location, error) {
	all := postgres.AllOrganisations()
	if c.Organisation == "" {
		return all, time.UTC, nil
	}
	found, _, err := db.Organisations(ctx, all, postgres.OrganisationFilter{Name: c.Organisation}, postgres.Page{Limit: 1})
	switch {
	case err != nil:
		return all, nil, err
	case len(found) == 0:
		return all, nil, schema.Errorf(schema.NotFound, "organisation", "there is no organisation named %q", c.Organisation)
	}
	zone, err := time.LoadLocation(found[0].TimeZone)
	return postgres.In(found[0].ID), zone, err
}

func (c *auditExportCmd) filter(zone *time.Location) (f postgres.AuditFilter, err error) {
	f = postgres.AuditFilter{System: c.System, Email: c.User, Action: audit.Action(c.Action)}
	if c.Action != "" && !slices.Contains(audit.Actions(), f.Action) {
		return f, schema.Errorf(schema.Invalid, "action", "there is none named %q: name one of %s", c.Action, strings.Trim(fmt.Sprint(audit.Actions()), "[]"))
	}
	if f.From, err = moment("from", c.From, zone, 0); err != nil {
		return f, err
	}
	f.To, err = moment("to", c.To, zone, 1)
	return f, err
}

// moment reads a time, or a day of the zone: the beginning of it or of one after it.
func moment(field, text string, zone *time.Location, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return day.AddDate(0, 0, days), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, schema.Errorf(schema.Invalid, field, "%q is no day such as 2024-01-15 and no time such as 2024-01-15T10:30:00Z", text)
	}
	return t, nil
}

// entry writes the export itself down.
func (c *auditExportCmd) entry(scope postgres.Scope) audit.Entry {
	organisation, _ := scope.Organisation()
	or := func(day string) string {
		if day == "" {
			return "…"
		}
		return day
	}
	return audit.Entry{
		Organisation: organisation, Action: audit.Export, Object: audit.Object{Kind: "log"},
		Fields: []audit.Field{audit.Made("period", or(c.From)+" - "+or(c.To)), audit.Made("format", c.Format), audit.Made("by", "mybeacon audit export")},
	}
}

// to calls write with the output. A file that could not be written whole is removed.
func (c *auditExportCmd) to(stdout io.Writer, write func(io.Writer) error) error {
	if c.Output == "" {
		return write(stdout)
	}
	f, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		_ = os.Remove(c.Output)
		return err
	}
	return nil
}
