package sqlhttp

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/ask"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// AskQuery is a question that is ready to be asked: a product's, or one that somebody of
// the organisation kept.
type AskQuery struct {
	ID        string      `json:"id" doc:"A product's word, or the id of a kept one"`
	Product   string      `json:"product" doc:"Empty: somebody kept it"`
	Title     ask.Words   `json:"title"`
	SQL       string      `json:"sql"`
	Params    []ask.Param `json:"params" nullable:"false"`
	Chart     *ask.Chart  `json:"chart" doc:"null: best seen as a table"`
	By        string      `json:"by" doc:"E-mail of who kept it"`
	Mine      bool        `json:"mine" doc:"The caller may change it"`
	ChangedAt *time.Time  `json:"changed_at"`
}

func readyQuery(q ask.Query) AskQuery {
	return AskQuery{ID: q.ID, Product: q.Product, Title: q.Title, SQL: q.SQL, Params: append([]ask.Param{}, q.Params...), Chart: q.Chart}
}

func keptQuery(q postgres.AskQuery, mine bool) (AskQuery, error) {
	at := q.ChangedAt.UTC()
	out := AskQuery{ID: q.ID.String(), Title: ask.Words{En: q.Title, Ru: q.Title}, SQL: q.SQL, Params: []ask.Param{}, By: q.Email, Mine: mine, ChangedAt: &at}
	err := json.Unmarshal(q.Params, &out.Params)
	if err == nil && q.Chart != nil {
		err = json.Unmarshal(q.Chart, &out.Chart)
	}
	return out, err
}

func (r *askRoutes) queries(s *shell.Server, tags []string, rule shell.Rule) {
	path := askRoot + "/queries"
	shell.Route(s, rule, huma.Operation{
		OperationID: "list-ask-queries", Method: http.MethodGet, Path: path, Tags: tags, Summary: "List questions that are ready: of products, and kept by the organisation",
	}, r.listQueries)
	shell.Route(s, rule, huma.Operation{
		OperationID: "create-ask-query", Method: http.MethodPost, Path: path, Tags: tags, Summary: "Keep a question for the organisation", DefaultStatus: http.StatusCreated,
	}, r.createQuery)
	shell.Route(s, rule, huma.Operation{
		OperationID: "change-ask-query", Method: http.MethodPut, Path: path + "/{id}", Tags: tags, Summary: "Replace a kept question: one's own, or as an Owner or Admin any",
	}, r.changeQuery)
	shell.Route(s, rule, huma.Operation{
		OperationID: "delete-ask-query", Method: http.MethodDelete, Path: path + "/{id}", Tags: tags,
		Summary: "Remove a kept question: one's own, or as an Owner or Admin any", DefaultStatus: http.StatusNoContent,
	}, r.deleteQuery)
}

type (
	queryList struct {
		Body struct {
			Items []AskQuery `json:"items" nullable:"false"`
		}
	}
	queryOutput struct{ Body AskQuery }
	// KeptQuery is what is kept of a question. It is exported because huma reads
	// embedded bodies only then.
	KeptQuery struct {
		Title  string      `json:"title" minLength:"1" maxLength:"200"`
		SQL    string      `json:"sql" minLength:"1" maxLength:"65536"`
		Params []ask.Param `json:"params,omitempty" maxItems:"50" nullable:"false"`
		Chart  *ask.Chart  `json:"chart,omitempty"`
	}
	newQuery struct {
		Body struct {
			OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Required of a super-admin"`
			KeptQuery
		}
	}
	queryChange struct {
		ID   string `path:"id" format:"uuid"`
		Body KeptQuery
	}
	queryPath struct {
		ID string `path:"id" format:"uuid"`
	}
)

func (r *askRoutes) listQueries(ctx context.Context, in *tablesInput) (*queryList, error) {
	organisation, err := r.organisation(ctx, in.OrganisationID)
	if err != nil {
		return nil, err
	}
	shell.Saw(ctx, organisation)
	p := shell.PrincipalOf(ctx)
	out := &queryList{}
	out.Body.Items = []AskQuery{}
	for _, q := range r.Ready {
		if p.Decide(access.Export, access.Object{Product: q.Product}) == nil {
			out.Body.Items = append(out.Body.Items, readyQuery(q))
		}
	}
	kept, err := r.DB.AskQueries(ctx, organisation)
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		q, err := keptQuery(k, mayKeep(p) == nil && mayChange(p, k) == nil)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, q)
	}
	return out, nil
}

// mayKeep refuses who may ask but leave nothing: asking is no change, keeping is.
func mayKeep(p shell.Principal) error {
	switch {
	case p.Rights.Key:
		return schema.Errorf(schema.Forbidden, "", "an API key keeps no queries; log in")
	case p.Rights.ReadOnly:
		return schema.Errorf(schema.Forbidden, "", "your account may look but not change; ask an Owner")
	case p.Rights.SuperAdmin && !p.Rights.Acting:
		return schema.Errorf(schema.Forbidden, "", "switch into the organisation first, with a reason: PUT /api/v1/auth/acting")
	}
	return nil
}

func mayChange(p shell.Principal, q postgres.AskQuery) error {
	if q.Account == p.ID || p.Rights.SuperAdmin || slices.Contains([]access.Role{access.Owner, access.Admin}, p.Rights.Role) {
		return nil
	}
	return schema.Errorf(schema.Forbidden, "", "somebody else kept this query: keep it under another title, or ask an Owner or Admin")
}

func (b KeptQuery) row() (q postgres.AskQuery, err error) {
	if q.Title, err = shell.CheckText("title", b.Title, 1, 200); err != nil {
		return q, err
	}
	if err := (ask.Statement{SQL: b.SQL}).Check(); err != nil {
		return q, err
	}
	if err := ask.CheckParams(b.Params); err != nil {
		return q, err
	}
	if b.Chart != nil && !slices.Contains(ask.ChartKinds(), b.Chart.Kind) {
		return q, schema.Errorf(schema.Invalid, "chart.kind", "is %.60q: choose one of %q", b.Chart.Kind, ask.ChartKinds())
	}
	q.SQL = b.SQL
	if q.Params, err = json.Marshal(append([]ask.Param{}, b.Params...)); err != nil || b.Chart == nil {
		return q, err
	}
	q.Chart, err = json.Marshal(b.Chart)
	return q, err
}

func (r *askRoutes) createQuery(ctx context.Context, in *newQuery) (*queryOutput, error) {
	p := shell.PrincipalOf(ctx)
	organisation, err := r.organisation(ctx, in.Body.OrganisationID)
	if err == nil {
		err = mayKeep(p)
	}
	if err != nil {
		return nil, err
	}
	q, err := in.Body.row()
	if err != nil {
		return nil, err
	}
	q.ID, q.Organisation, q.Account, q.Email, q.ChangedAt = schema.NewID[postgres.AskQueryID](), organisation, p.ID, p.Email, time.Now()
	if err := r.DB.InsertAskQuery(ctx, q); err != nil {
		return nil, err
	}
	out, err := keptQuery(q, true)
	return &queryOutput{out}, err
}

func (r *askRoutes) changeQuery(ctx context.Context, in *queryChange) (*queryOutput, error) {
	id, organisation, err := r.own(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	q, err := in.Body.row()
	if err != nil {
		return nil, err
	}
	q.ID, q.Organisation = id, organisation
	p := shell.PrincipalOf(ctx)
	changed, err := r.DB.ChangeAskQuery(ctx, q, func(old postgres.AskQuery) error { return mayChange(p, old) })
	if err != nil {
		return nil, err
	}
	out, err := keptQuery(changed, true)
	return &queryOutput{out}, err
}

func (r *askRoutes) deleteQuery(ctx context.Context, in *queryPath) (*struct{}, error) {
	id, organisation, err := r.own(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	p := shell.PrincipalOf(ctx)
	return nil, r.DB.DeleteAskQuery(ctx, organisation, id, func(old postgres.AskQuery) error { return mayChange(p, old) })
}

// own returns the id, and the organisation in which the caller may keep queries.
func (r *askRoutes) own(ctx context.Context, text string) (postgres.AskQueryID, schema.OrganisationID, error) {
	p := shell.PrincipalOf(ctx)
	id, err := shell.ParseID[postgres.AskQueryID](text)
	if err == nil {
		err = mayKeep(p)
	}
	if err != nil {
		return id, schema.OrganisationID{}, err
	}
	organisation, err := r.organisation(ctx, schema.OrganisationID{})
	return id, organisation, err
}
