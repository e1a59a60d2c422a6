package sqlhttp

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/ask"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

const askRoot = "/api/v1/client/ask"

// AskConfig is what the page "Ask" needs besides the door.
type AskConfig struct {
	DB     *postgres.DB
	Ready  []ask.Query // brought by products
	Tables []string    // and views that analysts are given
}

type askRoutes struct {
	AskConfig
	door   *Door
	tables *tables
}

// RegisterAsk adds the routes of the page "Ask", which go through the door: the same
// people, rows, places and log.
func (d *Door) RegisterAsk(s *shell.Server, cfg AskConfig) {
	r := &askRoutes{cfg, d, newTables(d.warehouse, cfg.Tables)}
	tags := []string{"ask"}
	rule := shell.May(access.Export)
	shell.Route(s, rule, huma.Operation{
		OperationID: "ask", Method: http.MethodPost, Path: askRoot, Tags: tags, Summary: "Ask the warehouse one question, for a page",
		Description: "One read-only statement over the rows of one organisation, as POST /api/v1/client/sql: 30 seconds, 512 MiB, two at once. " +
			"The answer has at most limit rows and 16 MiB; what is wrong with the statement is a problem of sql, with line and column in its value where they are known.",
		DefaultStatus: http.StatusOK,
	}, r.ask)
	shell.Route(s, rule, huma.Operation{
		OperationID: "list-ask-tables", Method: http.MethodGet, Path: askRoot + "/tables", Tags: tags, Summary: "List tables and views that can be asked, with their columns",
	}, r.listTables)
	r.queries(s, tags, rule)
}

type (
	askInput struct {
		Body struct {
			OrganisationID schema.OrganisationID `json:"organisation_id,omitempty" format:"uuid" doc:"Required of a super-admin who acts in none"`
			SQL            string                `json:"sql" minLength:"1" maxLength:"65536"`
			Params         map[string]string     `json:"params,omitempty" doc:"Values of {name:Type} in the statement"`
			Limit          int                   `json:"limit,omitempty" minimum:"1" maximum:"10000" default:"1000" doc:"Rows of the answer"`
		}
	}
	askOutput struct {
		Body struct {
			Columns   []ask.Column `json:"columns" nullable:"false"`
			Rows      [][]any      `json:"rows" nullable:"false" doc:"In the order of columns; integers beyond 2^53 are text"`
			RowsRead  int64        `json:"rows_read" doc:"Of the tables; 0: the warehouse does not say"`
			ElapsedMs int64        `json:"elapsed_ms"`
			Truncated bool         `json:"truncated" doc:"There is more"`
		}
	}
)

func (r *askRoutes) ask(ctx context.Context, in *askInput) (*askOutput, error) {
	organisation, err := r.organisation(ctx, in.Body.OrganisationID)
	if err != nil {
		return nil, err
	}
	statement := ask.Statement{SQL: in.Body.SQL, Params: in.Body.Params, Limit: in.Body.Limit}
	if err := statement.Check(); err != nil {
		return nil, err
	}
	leave, err := r.door.slots.Enter(organisation)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := r.door.note(ctx, organisation, statement.SQL, asParameters(statement.Params)); err != nil {
		return nil, err
	}
	answer, err := ask.Run(ctx, r.door.warehouse, organisation, statement)
	if err != nil {
		return nil, err
	}
	out := &askOutput{}
	b := &out.Body
	b.Columns, b.Rows, b.RowsRead, b.Truncated = answer.Columns, answer.Rows, answer.RowsRead, answer.Truncated
	b.ElapsedMs = answer.Elapsed.Milliseconds()
	return out, nil
}

// asParameters writes values as the door's address has them, for the log.
func asParameters(values map[string]string) url.Values {
	q := url.Values{}
	for name, value := range values {
		q.Set("param_"+name, value)
	}
	return q
}

func (r *askRoutes) organisation(ctx context.Context, asked schema.OrganisationID) (schema.OrganisationID, error) {
	text := ""
	if !asked.IsZero() {
		text = asked.String()
	}
	return r.door.organisation(ctx, shell.PrincipalOf(ctx), text)
}
