package exporthttp

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mybeacon/engine/export"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
)

func (r *routes) files(s *shell.Server, tags []string, rule shell.Rule) {
	path := root + "/{id}/file"
	shell.Route(s, rule, huma.Operation{
		OperationID: "download-export", Method: http.MethodGet, Path: path, Tags: tags, Summary: "Download the file of an export; ranges are answered",
	}, r.file)
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	s.API().OpenAPI().Paths[path].Get.Responses["200"] = &huma.Response{ // huma knows nothing of what is streamed
		Description: "The file", Content: map[string]*huma.MediaType{"text/csv": binary, "application/json": binary, "application/x-ndjson": binary, "application/vnd.apache.parquet": binary},
	}
}

func (r *routes) file(ctx context.Context, in *exportPath) (*huma.StreamResponse, error) {
	id, err := shell.ParseID[postgres.ExportID](in.ID)
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	f, e, err := r.exports.Open(ctx, p.Rights, p.Scope(), id)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer f.Close() // it was only read
		serve(out, f, e)
	}}, nil
}

// serve sends the file, or the part of it that was asked for: what broke off can go on.
func serve(out huma.Context, f export.File, e postgres.Export) {
	req, w := humago.Unwrap(out)
	format := export.Format(e.Format)
	h := w.Header()
	h.Set("Content-Type", format.Media())
	h.Set("Content-Disposition", export.Disposition(e.Dataset, format, e.CreatedAt))
	h.Set("Cache-Control", "private, no-store")
	h.Set("ETag", `"`+e.SHA256+`"`)
	// The bytes of a file of gigabytes take longer than an answer may.
	http.ServeContent(shell.Unstalled(w), req, "", e.EndedAt.UTC().Truncate(time.Second), f)
}
