package blehttp

import (
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/modules/ble"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/http/table"
	"mybeacon/schema"
)

const (
	maxTagRows  = 10_000
	maxTagBytes = 8 << 20
)

// The columns of a table of tags. The importer reads the first four, and passes over
// the others.
func tagColumns() []string {
	return []string{"transmitter", "type", "name", "description", "state", "heard_at", "battery_percent", "battery_at", "bound_at", "warnings"}
}

type tagTable struct {
	TagFilter
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
}

type tagImport struct {
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid" doc:"Required of a super-admin"`
	DryRun         bool                  `query:"dry_run" doc:"Says what would be done, and does nothing"`
	RawBody        []byte                `contentType:"text/csv"`
}

// TagRow is what became of one line.
type TagRow struct {
	Line        int    `json:"line" doc:"In the file, from 1; the heading is line 1"`
	OK          bool   `json:"ok"`
	Problem     string `json:"problem,omitempty"`
	Transmitter string `json:"transmitter" doc:"Empty: it could not be read"`
	Name        string `json:"name"`
	Outcome     string `json:"outcome" enum:"created,changed,same,refused"`
}

type tagImportOutput struct {
	Body struct {
		Rows    []TagRow `json:"rows" nullable:"false"`
		Created int      `json:"created"`
		Changed int      `json:"changed"`
	}
}

func (r *routes) tagTables(s *shell.Server) {
	const path = root + "/tags"
	tags := []string{"ble tags"}
	shell.Route(s, shell.May(access.Export).Of(r.module.ID()), huma.Operation{
		OperationID: "export-ble-tags", Method: http.MethodGet, Path: path + ".csv", Tags: tags, Summary: "Export tags as a table",
		Description: "RFC 4180. What a spreadsheet would take for a formula has a ' before it, which the import takes away again.",
	}, r.exportTags)
	shell.Route(s, r.tagger, huma.Operation{
		OperationID: "import-ble-tags", Method: http.MethodPost, Path: path + "/import", Tags: tags, Summary: "Register and bind the tags of a table",
		Description: "The heading names the columns: transmitter - or uuid, major and minor, or namespace and instance, or mac -, type (asset when empty), name and description; " +
			"others are passed over. A tag that is registered already is bound to what its line says. A line that is wrong says so, and the others are done. " +
			"Commas and semicolons separate; the text is UTF-8.",
		MaxBodyBytes: maxTagBytes,
	}, r.importTags)
}

func (r *routes) exportTags(ctx context.Context, in *tagTable) (*huma.StreamResponse, error) {
	scope, err := shell.PrincipalOf(ctx).WithinOne(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	query, err := in.query()
	if err != nil {
		return nil, err
	}
	if err := r.module.RecordTagExport(ctx, scope); err != nil {
		return nil, err
	}
	page, next, err := r.module.Tags(ctx, scope, query, postgres.Page{Limit: postgres.MaxLimit})
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8; header=present")
		hc.SetHeader("Content-Disposition", `attachment; filename="tags.csv"`)
		w := csv.NewWriter(hc.BodyWriter())
		w.UseCRLF = true
		_ = w.Write(tagColumns())
		for {
			for _, t := range page {
				_ = w.Write(tagCells(t)) // an error is told by Flush
			}
			if w.Flush(); w.Error() != nil || next == (postgres.Cursor{}) {
				return
			}
			if page, next, err = r.module.Tags(ctx, scope, query, postgres.Page{Limit: postgres.MaxLimit, After: next}); err != nil {
				// The answer has begun: only breaking it off says that it is not whole.
				panic(http.ErrAbortHandler)
			}
		}
	}}, nil
}

func tagCells(v ble.TagView) []string {
	t := tagOf(v)
	percent, at := "", ""
	if t.Battery != nil {
		percent, at = strconv.Itoa(t.Battery.Percent), t.Battery.At.Format(time.RFC3339)
	}
	warnings := ""
	for _, w := range t.Warnings {
		if warnings != "" {
			warnings += " "
		}
		warnings += w
	}
	name := t.Name
	if t.BoundAt == nil {
		name = "" // a line without a name registers a tag that is bound to nothing
	}
	return []string{
		t.Transmitter.String(), t.Type, table.Safe(name), table.Safe(t.Description), t.State, timeCell(t.HeardAt), percent, at, timeCell(t.BoundAt), warnings,
	}
}

func timeCell(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

func (r *routes) importTags(ctx context.Context, in *tagImport) (*tagImportOutput, error) {
	organisation, err := shell.PrincipalOf(ctx).Owner(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	const usage = "or uuid, major and minor, or namespace and instance; beside it type, name and description are read"
	rows, err := table.Read(in.RawBody, maxTagRows, usage, "transmitter", "uuid", "mac", "namespace")
	if err != nil {
		return nil, err
	}
	lines := make([]ble.TagLine, len(rows))
	for i, row := range rows {
		lines[i] = tagLine(row)
	}
	if lines, err = r.module.ImportTags(ctx, organisation, lines, in.DryRun); err != nil {
		return nil, err
	}
	out := &tagImportOutput{}
	out.Body.Rows = make([]TagRow, len(lines))
	for i, l := range lines {
		problem, err := shell.RowProblem(l.Err)
		if err != nil {
			return nil, err
		}
		out.Body.Rows[i] = TagRow{Line: rows[i].Line, OK: problem == "", Problem: problem, Transmitter: l.Transmitter.String(), Name: l.Name, Outcome: l.Outcome}
		switch l.Outcome {
		case ble.LineCreated:
			out.Body.Created++
		case ble.LineChanged:
			out.Body.Changed++
		}
	}
	return out, nil
}

// tagLine reads one row; what is wrong with it stands in it.
func tagLine(row table.Row) ble.TagLine {
	l := ble.TagLine{Line: row.Line}
	if l.Transmitter, l.Err = ble.ReadTransmitter(row.Text); l.Err != nil {
		return l
	}
	l.Type, l.Name = row.Text("type"), row.Text("name")
	if text, ok := row.Cell("description"); ok {
		l.Description = &text
	}
	return l
}
