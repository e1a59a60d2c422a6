package http

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mybeacon/engine/export"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// stallTime is for how long the reader of a stream may read nothing.
const stallTime = 30 * time.Second

// The bounds of streams that are open at once: each keeps a question open in the
// warehouse for as long as its reader reads.
const (
	streamsOfOne = 4
	streamsOfAll = 16
)

// Exports streams what leaves the system, and keeps its history.
type Exports interface {
	Stream(context.Context, export.Request) (*export.Stream, error)
}

// FormatInput is embedded in the input of lists that are [Server.Downloadable].
type FormatInput struct {
	Format string `query:"format" enum:"csv,json,ndjson,parquet" doc:"Answer with all rows as a file, which is an export: it needs that right and has a line in the history"`
	Lang   string `query:"lang" enum:"en,ru" doc:"The language of a CSV's head; names without"`
}

// Downloadable returns the middleware of a list that answers ?format= with all rows of
// the dataset in that format, while they are read. The other parameters are the
// dataset's filters. Without ?format= the list is as it is.
func (s *Server) Downloadable(dataset string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		q := r.URL.Query()
		if !q.Has("format") {
			next(ctx)
			return
		}
		if err := s.download(ctx, w, dataset, q); err != nil {
			s.WriteError(w, r, err)
		}
	}
}

// download returns an error while nothing is answered yet.
func (s *Server) download(ctx huma.Context, w http.ResponseWriter, dataset string, q url.Values) error {
	if s.cfg.Exports == nil {
		return schema.Errorf(schema.Unavailable, "format", "this server streams no files")
	}
	p := PrincipalOf(ctx.Context())
	asked, err := optionalID(q.Get("organisation_id"))
	if err != nil {
		return err
	}
	if asked.IsZero() && p.Rights.Organisation.IsZero() {
		// Who belongs to no organisation looks at one location's: that says whose it is.
		if asked, err = s.organisationOf(ctx.Context(), p, q.Get("location")); err != nil {
			return err
		}
	}
	organisation, err := p.Owner(asked)
	if err != nil {
		return err
	}
	request := export.Request{By: p.Identity, Organisation: organisation, Dataset: dataset, Format: export.Format(q.Get("format")), Language: q.Get("lang"), Filters: q}
	for _, name := range []string{"organisation_id", "format", "lang"} {
		q.Del(name)
	}
	leave, err := s.streams.Enter(organisation)
	if err != nil {
		return err
	}
	defer leave()
	inner, cancel := untimed(ctx.Context())
	defer cancel()
	stream, err := s.cfg.Exports.Stream(inner, request)
	if err != nil {
		return err
	}
	ctx.SetHeader("Content-Type", request.Format.Media())
	ctx.SetHeader("Content-Disposition", export.Disposition(dataset, request.Format, s.now()))
	ctx.SetHeader("Cache-Control", "no-store")
	ctx.SetHeader("X-Export-Id", stream.ID().String())
	if err := stream.Write(inner, Unstalled(w)); err != nil {
		panic(http.ErrAbortHandler) // half a file must not look whole
	}
	return nil
}

// untimed returns a context that ends when the caller leaves, but not when the time of
// an ordinary answer is over: after that his leaving is noticed by the next write.
func untimed(ctx context.Context) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancel(postgres.Patient(context.WithoutCancel(ctx)))
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})
	return inner, func() { stop(); cancel() }
}

// organisationOf returns whose location it is that the caller may see; zero without one.
func (s *Server) organisationOf(ctx context.Context, p Principal, location string) (schema.OrganisationID, error) {
	if location == "" {
		return schema.OrganisationID{}, nil
	}
	id, err := schema.ParseID[schema.LocationID](location)
	if err != nil {
		return schema.OrganisationID{}, schema.Errorf(schema.NotFound, "location", "there is no such location")
	}
	found, err := s.db.Location(ctx, p.Scope(), id)
	return found.Organisation, err
}

func optionalID(text string) (id schema.OrganisationID, err error) {
	if text == "" {
		return id, nil
	}
	if id, err = schema.ParseID[schema.OrganisationID](text); err != nil {
		return id, schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation")
	}
	return id, nil
}

// Unstalled returns a writer for an answer of any length: its reader has a time for
// each part instead of one for all, and each part is sent on as it is written.
func Unstalled(w http.ResponseWriter) http.ResponseWriter {
	return &unstalled{w, http.NewResponseController(w)}
}

type unstalled struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Unwrap lets deadlines reach the connection.
func (u *unstalled) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// Write implements [io.Writer].
func (u *unstalled) Write(p []byte) (int, error) {
	_ = u.control.SetWriteDeadline(time.Now().Add(stallTime)) // a writer without deadlines has no slow peer
	n, err := u.ResponseWriter.Write(p)
	if err == nil {
		err = u.control.Flush()
	}
	return n, err
}
