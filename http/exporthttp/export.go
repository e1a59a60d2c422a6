package exporthttp

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/export"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

const root = "/api/v1/client/exports"

type routes struct {
	db      *postgres.DB
	exports *export.Service
}

// Register adds the routes to the server.
func Register(s *shell.Server, db *postgres.DB, exports *export.Service) {
	r := &routes{db, exports}
	tags := []string{"exports"}
	rule := shell.May(access.Export)
	shell.Route(s, rule, huma.Operation{
		OperationID: "list-export-datasets", Method: http.MethodGet, Path: root + "/datasets", Tags: tags, Summary: "List what can be exported, with its columns and filters",
	}, r.datasets)
	shell.Route(s, rule, huma.Operation{
		OperationID: "list-exports", Method: http.MethodGet, Path: root, Tags: tags, Summary: "Read the history of exports, the newest first",
	}, r.list)
	shell.Route(s, rule, huma.Operation{
		OperationID: "create-export", Method: http.MethodPost, Path: root, Tags: tags, Summary: "Export into a file, which a job makes",
		DefaultStatus: http.StatusAccepted,
	}, r.create)
	shell.Route(s, rule, huma.Operation{
		OperationID: "get-export", Method: http.MethodGet, Path: root + "/{id}", Tags: tags, Summary: "Read how far an export is",
	}, r.get)
	shell.Route(s, rule, huma.Operation{
		OperationID: "delete-export", Method: http.MethodDelete, Path: root + "/{id}", Tags: tags,
		Summary: "Cancel an export, or remove its file; its line in the history stays", DefaultStatus: http.StatusNoContent,
	}, r.delete)
	r.files(s, tags, rule)
}

// Export is one line of the history.
type Export struct {
	ID             postgres.ExportID     `json:"id" format:"uuid"`
	OrganisationID schema.OrganisationID `json:"organisation_id" format:"uuid"`
	Dataset        string                `json:"dataset" example:"ble/visits"`
	Version        int                   `json:"version" doc:"Of the dataset's columns"`
	Format         string                `json:"format" enum:"csv,json,ndjson,parquet"`
	Lang           string                `json:"lang" doc:"The language of a CSV's head; empty: names"`
	Filters        map[string][]string   `json:"filters" nullable:"false"`
	Direct         bool                  `json:"direct" doc:"It was streamed: there is no file"`
	By             string                `json:"by" doc:"E-mail of who asked for it; empty for support and for deleted accounts"`
	Key            string                `json:"key" doc:"Name of the API key that asked for it"`
	Support        bool                  `json:"support" doc:"A super-admin asked for it"`
	At             time.Time             `json:"at"`
	State          string                `json:"state" enum:"queued,running,done,failed,cancelled,cut_off,expired,deleted" doc:"cut_off: a stream whose reader or server went away before its end"`
	Progress       *int                  `json:"progress" doc:"Percent; null: unknown"`
	Rows           int64                 `json:"rows" doc:"Of what is not done: so far"`
	Bytes          int64                 `json:"bytes"`
	SHA256         string                `json:"sha256" doc:"Of the file, once it is done; of a stream that was cut off, of what was sent"`
	Error          string                `json:"error" doc:"Why it failed"`
	EndedAt        *time.Time            `json:"ended_at"`
	ExpiresAt      *time.Time            `json:"expires_at" doc:"When the file is removed; null: there is none"`
}

func exportOf(e postgres.Export) Export {
	return Export{
		ID: e.ID, OrganisationID: e.Organisation, Dataset: e.Dataset, Version: e.Version, Format: e.Format, Lang: e.Language, Filters: e.Filters,
		Direct: e.Direct, By: e.Email, Key: e.KeyName, Support: e.Support, At: e.CreatedAt.UTC(), State: e.State, Progress: percent(e),
		Rows: e.Rows, Bytes: e.Bytes, SHA256: e.SHA256, Error: e.Error, EndedAt: optionalTime(e.EndedAt), ExpiresAt: optionalTime(e.ExpiresAt),
	}
}

// percent is null where nobody knows how many rows there will be.
func percent(e postgres.Export) *int {
	var n int
	switch {
	case slices.Contains([]string{postgres.ExportDone, postgres.ExportExpired, postgres.ExportDeleted}, e.State):
		n = 100
	case e.Expected == 0:
		return nil
	case e.Expected > 0:
		n = int(min(99*e.Rows/e.Expected, 99)) // it is done when its file is there
	case e.State == postgres.ExportQueued:
	default:
		return nil
	}
	return &n
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

type (
	exportOutput struct{ Body Export }
	exportPath   struct {
		ID string `path:"id" format:"uuid"`
	}
	exportList struct {
		shell.PageInput
		OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
		Dataset        string                `query:"dataset" maxLength:"100"`
	}
	newExport struct {
		Body struct {
			OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Required of a super-admin who acts in none"`
			Dataset        string                `json:"dataset" maxLength:"100"`
			Format         string                `json:"format" enum:"csv,json,ndjson,parquet"`
			Filters        map[string][]string   `json:"filters,omitempty"`
			Lang           string                `json:"lang,omitempty" enum:"en,ru"`
		}
	}
)

func (r *routes) list(ctx context.Context, in *exportList) (*shell.ListOutput[Export], error) {
	page, err := in.Page()
	if err != nil {
		return nil, err
	}
	scope, err := shell.PrincipalOf(ctx).Within(in.OrganisationID)
	if err != nil {
		return nil, err
	}
	found, next, err := r.db.Exports(ctx, scope, in.Dataset, page)
	return shell.Paged(&in.PageInput, found, next, exportOf), err
}

func (r *routes) create(ctx context.Context, in *newExport) (*exportOutput, error) {
	p := shell.PrincipalOf(ctx)
	organisation, err := p.Owner(in.Body.OrganisationID)
	if err != nil {
		return nil, err
	}
	made, err := r.exports.Begin(ctx, export.Request{
		By: p.Identity, Organisation: organisation, Dataset: in.Body.Dataset, Format: export.Format(in.Body.Format),
		Language: in.Body.Lang, Filters: url.Values(maps.Clone(in.Body.Filters)),
	})
	return &exportOutput{exportOf(made)}, err
}

func (r *routes) get(ctx context.Context, in *exportPath) (*exportOutput, error) {
	id, err := shell.ParseID[postgres.ExportID](in.ID)
	if err != nil {
		return nil, err
	}
	e, err := r.db.Export(ctx, shell.PrincipalOf(ctx).Scope(), id)
	return &exportOutput{exportOf(e)}, err
}

func (r *routes) delete(ctx context.Context, in *exportPath) (*struct{}, error) {
	id, err := shell.ParseID[postgres.ExportID](in.ID)
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	return nil, r.exports.Delete(ctx, p.Identity, p.Scope(), id)
}
