package audithttp

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// The bounds of an answer of any length: while it is being made a transaction is open.
const (
	exportTime = 10 * time.Minute
	stallTime  = 30 * time.Second // for how long a caller may read nothing
)

// patient lets what reads all of the log take its time.
func patient(ctx huma.Context, next func(huma.Context)) {
	_, w := humago.Unwrap(ctx)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportTime)) // a writer without deadlines has no slow peer
	inner, cancel := context.WithTimeout(postgres.Patient(context.WithoutCancel(ctx.Context())), exportTime)
	defer cancel()
	next(huma.WithContext(ctx, inner))
}

// Form is how an export is to look.
type Form struct {
	Format   string `query:"format" enum:"csv,txt" default:"csv"`
	Language string `query:"lang" enum:"ru,en" doc:"By default a text is Russian and a CSV English"`
	BOM      bool   `query:"bom" doc:"Begin a CSV with a byte order mark, for programs that guess encodings"`
}

type exportInput struct {
	Filter
	Form
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid" doc:"Required of a super-admin who acts in none"`
}

type exportAllInput struct {
	Filter
	Form
	Everywhere
}

func (r *routes) exports(s *shell.Server, tags []string) {
	shell.Route(s, shell.May(access.ReadAudit), huma.Operation{
		OperationID: "export-audit", Method: http.MethodGet, Path: root + "/export", Tags: tags, Summary: "Write the organisation's audit log out",
		Middlewares: huma.Middlewares{patient},
	}, func(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
		scope, err := within(ctx, in.OrganisationID)
		if err == nil {
			scope, err = shell.PrincipalOf(ctx).WithinOne(in.OrganisationID)
		}
		if err != nil {
			return nil, err
		}
		return r.export(ctx, scope, in.store(), in.Form)
	})
	shell.Route(s, shell.Admins(), huma.Operation{
		OperationID: "export-all-audit", Method: http.MethodGet, Path: admin + "/export", Tags: tags,
		Summary: "Write the audit log of all organisations out, of one, or the system's", Middlewares: huma.Middlewares{patient},
	}, func(ctx context.Context, in *exportAllInput) (*huma.StreamResponse, error) {
		f := in.store()
		return r.export(ctx, in.scope(&f), f, in.Form)
	})
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	for _, path := range []string{root, admin} { // huma knows nothing of what is streamed
		s.API().OpenAPI().Paths[path+"/export"].Get.Responses["200"] = &huma.Response{
			Description: "The entries, the oldest first", Content: map[string]*huma.MediaType{"text/csv": text, "text/plain": text},
		}
	}
}

// export writes the export itself down, and then the log.
func (r *routes) export(ctx context.Context, scope postgres.Scope, f postgres.AuditFilter, how Form) (*huma.StreamResponse, error) {
	opts := audit.ExportOptions{Format: audit.Format(how.Format), Language: audit.Language(how.Language), Zone: time.UTC, BOM: how.BOM}
	organisation, one := scope.Organisation()
	if one {
		o, err := r.db.Organisation(ctx, scope, organisation)
		if err != nil {
			return nil, err
		}
		if opts.Zone, err = time.LoadLocation(o.TimeZone); err != nil {
			return nil, err
		}
	}
	if err := r.db.Append(ctx, scope, exported(organisation, f, how)); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(out huma.Context) { r.stream(out, scope, f, opts) }}, nil
}

func exported(o schema.OrganisationID, f postgres.AuditFilter, how Form) audit.Entry {
	day := func(t time.Time) string {
		if t.IsZero() {
			return "…"
		}
		return t.UTC().Format(time.DateOnly)
	}
	e := audit.Entry{Organisation: o, Action: audit.Export, Object: audit.Object{Kind: "log"}}
	e.Fields = append(e.Fields, audit.Made("period", day(f.From)+" - "+day(f.To)), audit.Made("format", how.Format))
	for _, narrowed := range []audit.Field{audit.Made("action", string(f.Action)), {Name: "user", New: f.Email, Personal: true}, audit.Made("query", f.Query)} {
		if narrowed.New != "" {
			e.Fields = append(e.Fields, narrowed)
		}
	}
	return e
}

// stream writes the entries as they are read. What goes wrong then breaks the answer
// off, so that half a log never looks whole.
func (r *routes) stream(out huma.Context, scope postgres.Scope, f postgres.AuditFilter, opts audit.ExportOptions) {
	_, w := humago.Unwrap(out)
	media := "text/csv; charset=utf-8"
	if opts.Format == audit.TXT {
		media = "text/plain; charset=utf-8"
	}
	out.SetHeader("Content-Type", media)
	out.SetHeader("Content-Disposition", `attachment; filename="audit.`+string(opts.Format)+`"`)
	to, err := audit.NewWriter(unstalled{out.BodyWriter(), http.NewResponseController(w)}, opts)
	if err == nil {
		err = r.db.ExportAudit(out.Context(), scope, f, to.Write)
	}
	if err == nil {
		err = to.Flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// unstalled gives the caller a time for each part of the answer.
type unstalled struct {
	io.Writer
	control *http.ResponseController
}

// Write implements [io.Writer].
func (u unstalled) Write(p []byte) (int, error) {
	_ = u.control.SetWriteDeadline(time.Now().Add(stallTime)) // as in patient
	return u.Writer.Write(p)
}
