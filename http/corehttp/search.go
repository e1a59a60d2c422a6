package corehttp

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"mybeacon/engine/access"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// maxFound bounds the hits of one search: more are no help to who looks for one.
const maxFound = 20

// Finder is a product whose objects can be searched. It is not asked while the
// product is switched off for the caller.
type Finder interface {
	// Find returns up to most objects of each kind that the scope sees.
	Find(ctx context.Context, scope postgres.Scope, sought postgres.Sought, most int) ([]schema.Found, error)
}

type searchInput struct {
	OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid" doc:"Of a super-admin: search this one only"`
	Query          string                `query:"q" maxLength:"100" doc:"A part of a name, an address or an e-mail, a number such as #5, or a part of a MAC address; without it nothing is found"`
}

type searchOutput struct {
	Body struct {
		Items []schema.Found `json:"items" nullable:"false" doc:"The best first, 20 at most"`
	}
}

func (r *routes) search(s *shell.Server) {
	shell.Route(s, shell.May(access.View), huma.Operation{
		OperationID: "search", Method: http.MethodGet, Path: "/api/v1/client/search", Tags: []string{"search"},
		Summary: "Search everything that the caller may see",
	}, r.find)
}

func (r *routes) find(ctx context.Context, in *searchInput) (*searchOutput, error) {
	p, sought := shell.PrincipalOf(ctx), postgres.ParseSought(in.Query)
	out := &searchOutput{}
	out.Body.Items = []schema.Found{}
	scope, err := p.Within(in.OrganisationID)
	if err != nil || sought.Text == "" {
		return out, err
	}
	found, err := r.findAll(ctx, p, scope, sought)
	if err != nil {
		return nil, err
	}
	out.Body.Items = best(found, sought)
	return out, nil
}

// findAll asks the core and the caller's products, two at a time: each of them asks
// for several kinds at once.
func (r *routes) findAll(ctx context.Context, p shell.Principal, scope postgres.Scope, sought postgres.Sought) ([]schema.Found, error) {
	asked := []func(context.Context) ([]schema.Found, error){func(ctx context.Context) ([]schema.Found, error) {
		return r.DB.Find(ctx, scope, sought, maxFound, r.findings(p, scope))
	}}
	for product, finder := range r.Finders {
		if p.Decide(access.View, access.Object{Product: product}) != nil {
			continue
		}
		asked = append(asked, func(ctx context.Context) ([]schema.Found, error) { return finder.Find(ctx, scope, sought, maxFound) })
	}
	found := make([][]schema.Found, len(asked))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for i, ask := range asked {
		group.Go(func() (err error) {
			found[i], err = ask(ctx)
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(found...), err
}

// findings are the core's kinds that the caller may look for.
func (r *routes) findings(p shell.Principal, scope postgres.Scope) []postgres.Finding {
	list := []postgres.Finding{postgres.FindDevices(scope), postgres.FindLocations(scope)}
	if p.Decide(access.ManageUsers, access.Object{}) == nil || p.Decide(access.Administer, access.Object{}) == nil {
		list = append(list, postgres.FindUsers(scope))
	}
	if p.Decide(access.Administer, access.Object{}) == nil {
		list = append(list, postgres.FindOrganisations(scope))
	}
	return list
}

// best returns the hits that begin with what is sought before those that merely
// contain it, by title within each.
func best(found []schema.Found, sought postgres.Sought) []schema.Found {
	slices.SortFunc(found, func(a, b schema.Found) int {
		return cmp.Or(cmp.Compare(rank(a, sought.Text), rank(b, sought.Text)), cmp.Compare(a.Title, b.Title), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(len(found), maxFound)]
}

// rank is 0 for the very thing, 1 for what begins so, 2 for the rest.
func rank(f schema.Found, text string) int {
	title, number := strings.ToLower(f.Title), strings.SplitN(f.Subtitle, " ", 2)[0]
	switch {
	case title == text, f.Kind == "device" && strings.TrimPrefix(number, "#") == strings.TrimPrefix(text, "#"):
		return 0
	case strings.HasPrefix(title, text):
		return 1
	}
	return 2
}
