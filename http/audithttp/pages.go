package audithttp

import (
	"context"
	"mime"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// late is how much later than it was opened a page is told of without a word.
const late = 10 * time.Second

type pageViews struct {
	Body struct {
		Views []pageView `json:"views" minItems:"1" maxItems:"100" nullable:"false"`
	}
}

type pageView struct {
	Page  string    `json:"page" pattern:"^/" maxLength:"200" doc:"Its path"`
	Title string    `json:"title,omitempty" maxLength:"200"`
	At    time.Time `json:"at" doc:"When it was opened, by the caller's clock"`
}

// beacon takes the text of a page that closes for the JSON it is. Other sites' pages
// could send text too, so there the browser must have said which page sends it.
func beacon(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	told := r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
	if err == nil && media == "text/plain" && told {
		r.Header.Set("Content-Type", "application/json")
	}
	next(ctx)
}

// pages answers when the views are stored: what was not answered is sent again.
func (r *routes) pages(ctx context.Context, in *pageViews) (*struct{}, error) {
	p := shell.PrincipalOf(ctx)
	if err := r.views.Take(p.Account.ID, len(in.Body.Views)); err != nil {
		return nil, err
	}
	organisation := p.Rights.Organisation
	scope := postgres.In(organisation)
	if organisation.IsZero() {
		scope = postgres.AllOrganisations()
	}
	entries := make([]audit.Entry, len(in.Body.Views))
	for i, v := range in.Body.Views {
		entries[i] = v.entry(organisation)
	}
	return nil, r.db.Append(ctx, scope, entries...)
}

func (v pageView) entry(o schema.OrganisationID) audit.Entry {
	e := audit.Entry{Organisation: o, Action: audit.View, Object: audit.Object{Kind: "page", ID: v.Page, Name: v.Title}}
	if v.Title == "" {
		e.Object.Name = v.Page
	}
	if time.Since(v.At) > late {
		e.Fields = []audit.Field{audit.Made("opened", v.At.UTC().Format(time.RFC3339))}
	}
	return e
}
