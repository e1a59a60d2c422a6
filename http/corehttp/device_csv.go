package corehttp

import (
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/http/table"
	"mybeacon/schema"
	"mybeacon/schema/wire"
)

const (
	maxImportRows  = 10_000
	maxImportBytes = 4 << 20
)

// The columns of a table of devices. The importer reads mac, name, location, clock and
// modules, and passes over the others.
func deviceColumns() []string {
	return []string{"number", "mac", "name", "location", "clock", "modules", "status", "last_seen", "version"}
}

type csvInput struct {
	DeviceFilter
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid" doc:"Required of a super-admin who acts in none"`
}

type deviceImport struct {
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid" doc:"Required of a super-admin"`
	DryRun         bool                  `query:"dry_run" doc:"Says what would be done, and does nothing"`
	RawBody        []byte                `contentType:"text/csv"`
}

// ImportRow is what became of one line.
type ImportRow struct {
	Line    int    `json:"line" doc:"In the file, from 1; the heading is line 1"`
	OK      bool   `json:"ok"`
	Problem string `json:"problem,omitempty"`
}

type deviceImportOutput struct {
	Body struct {
		Rows    []ImportRow `json:"rows" nullable:"false"`
		Created int         `json:"created"`
		Changed int         `json:"changed"`
	}
}

func (r *routes) deviceCSV(s *shell.Server) {
	tags := []string{"devices"}
	shell.Route(s, shell.May(access.Export), huma.Operation{
		OperationID: "export-devices", Method: http.MethodGet, Path: devicesPath + ".csv", Tags: tags, Summary: "Export devices as a table",
		Description: "RFC 4180. What a spreadsheet would take for a formula has a ' before it, which the import takes away again.",
	}, r.exportDevices)
	shell.Route(s, shell.May(access.DeviceSettings), huma.Operation{
		OperationID: "import-devices", Method: http.MethodPost, Path: devicesPath + "/import", Tags: tags,
		Summary:      "Register and change the devices of a table",
		Description:  "The heading names the columns, of which mac is needed; name, location, clock and modules are read, a column that is missing changes nothing, and others are passed over. A line that is wrong says so, and the others are done.",
		MaxBodyBytes: maxImportBytes,
	}, r.importDevices)
}

func (r *routes) exportDevices(ctx context.Context, in *csvInput) (*huma.StreamResponse, error) {
	scope, err := shell.PrincipalOf(ctx).WithinOne(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	organisation, _ := scope.Organisation()
	err = r.DB.Write(ctx, scope, func(tx postgres.Tx) error {
		tx.Record(audit.Entry{
			Organisation: organisation, Action: audit.Export, Object: audit.Object{Kind: "devices", Name: "devices"},
			Fields: []audit.Field{{Name: "format", New: "CSV"}},
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	first, next, err := r.DB.Devices(ctx, scope, in.store(), postgres.Page{Limit: postgres.MaxLimit})
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8; header=present")
		hc.SetHeader("Content-Disposition", `attachment; filename="devices.csv"`)
		w := csv.NewWriter(hc.BodyWriter())
		w.UseCRLF = true
		_ = w.Write(deviceColumns())
		for page := first; ; {
			for _, d := range page {
				_ = w.Write(r.deviceRow(d)) // an error is told by Flush
			}
			if w.Flush(); w.Error() != nil || next == (postgres.Cursor{}) {
				return
			}
			if page, next, err = r.DB.Devices(ctx, scope, in.store(), postgres.Page{Limit: postgres.MaxLimit, After: next}); err != nil {
				// The answer has begun: only breaking it off says that it is not whole.
				panic(http.ErrAbortHandler)
			}
		}
	}}, nil
}

func (r *routes) deviceRow(d postgres.Device) []string {
	status, seen := r.statusOf(d)
	last := ""
	if seen != nil {
		last = seen.Format(time.RFC3339)
	}
	return []string{
		strconv.FormatInt(d.Number, 10), d.MAC, table.Safe(d.Name), table.Safe(d.LocationName), d.Clock, modulesCell(d.Config), status, last, table.Safe(d.Version),
	}
}

// modulesCell names the modules that are on.
func modulesCell(c wire.DeviceConfig) string {
	var on []string
	for id, enabled := range c.On() {
		if enabled {
			on = append(on, id)
		}
	}
	slices.Sort(on)
	return strings.Join(on, " ")
}

func (r *routes) importDevices(ctx context.Context, in *deviceImport) (*deviceImportOutput, error) {
	p := shell.PrincipalOf(ctx)
	organisation, err := p.Owner(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	scope, ok := p.Scope().Narrow(organisation)
	if !ok {
		return nil, schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation")
	}
	lines, err := r.readDevices(in.RawBody)
	if err != nil {
		return nil, err
	}
	results, err := r.DB.ImportDevices(ctx, scope, organisation, lines, in.DryRun)
	if err != nil {
		return nil, err
	}
	out := &deviceImportOutput{}
	out.Body.Rows = make([]ImportRow, len(results))
	for i, result := range results {
		problem, err := shell.RowProblem(result.Err)
		if err != nil {
			return nil, err
		}
		out.Body.Rows[i] = ImportRow{Line: lines[i].Line, OK: problem == "", Problem: problem}
		switch {
		case result.Created:
			out.Body.Created++
		case result.Changed:
			out.Body.Changed++
		}
	}
	if !in.DryRun && out.Body.Created+out.Body.Changed > 0 {
		r.Changed(ctx)
	}
	return out, nil
}

// readDevices reads the lines of a table. A table that cannot be taken apart is refused;
// what is wrong with one line stands in it.
func (r *routes) readDevices(body []byte) ([]postgres.DeviceLine, error) {
	rows, err := table.Read(body, maxImportRows, "beside it name, location, clock and modules are read", "mac")
	if err != nil {
		return nil, err
	}
	lines := make([]postgres.DeviceLine, len(rows))
	for i, row := range rows {
		lines[i] = r.readDevice(row)
	}
	return lines, nil
}

func (r *routes) readDevice(row table.Row) postgres.DeviceLine {
	l := postgres.DeviceLine{Line: row.Line}
	cell := func(name string) *string {
		if text, ok := row.Cell(name); ok {
			return &text
		}
		return nil
	}
	if l.MAC, l.Err = postgres.ParseMAC(row.Text("mac")); l.Err != nil {
		return l
	}
	if l.Name = cell("name"); l.Name != nil {
		if *l.Name, l.Err = shell.CheckText("name", *l.Name, 0, 200); l.Err != nil {
			return l
		}
	}
	l.Location = cell("location")
	if l.Clock = cell("clock"); l.Clock != nil && *l.Clock == "" {
		l.Clock = nil
	} else if l.Clock != nil && *l.Clock != postgres.ClockDevice && *l.Clock != postgres.ClockSource {
		l.Err = schema.Errorf(schema.Invalid, "clock", "%.40q is neither device nor source", *l.Clock)
		return l
	}
	if modules := cell("modules"); modules != nil {
		l.Modules, l.Err = r.readModules(*modules)
	}
	return l
}

// readModules reads a modulesCell: what it does not name is off.
func (r *routes) readModules(cell string) (map[string]bool, error) {
	on := map[string]bool{wire.BLE: false, wire.WiFi: false}
	for _, id := range r.products {
		on[id] = false
	}
	for id := range strings.FieldsSeq(strings.ReplaceAll(cell, ",", " ")) {
		if err := wire.CheckModules(map[string]bool{id: true}, r.products); err != nil {
			return nil, err
		}
		on[id] = true
	}
	return on, nil
}
