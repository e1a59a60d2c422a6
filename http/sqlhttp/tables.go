package sqlhttp

import (
	"context"
	"sync"
	"time"

	"mybeacon/engine/ask"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// tablesAge is for how long the columns of tables are believed: they change with the
// program.
const tablesAge = 10 * time.Minute

// AskTable is a table or view that can be asked.
type AskTable struct {
	Name    string      `json:"name"`
	Doc     ask.Words   `json:"doc" doc:"What a row is"`
	Columns []AskColumn `json:"columns" nullable:"false"`
}

// AskColumn is one of its columns.
type AskColumn struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Comment string `json:"comment"`
}

// tables knows the columns of what can be asked. They are the same for all
// organisations. It is safe for concurrent use.
type tables struct {
	warehouse Warehouse
	names     []string

	mu    sync.Mutex
	known []AskTable
	at    time.Time
}

func newTables(w Warehouse, names []string) *tables { return &tables{warehouse: w, names: names} }

func (t *tables) list(ctx context.Context, organisation schema.OrganisationID) ([]AskTable, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known != nil && time.Since(t.at) < tablesAge {
		return t.known, nil
	}
	found := []AskTable{}
	for _, name := range t.names {
		columns, err := t.columns(ctx, organisation, name)
		if err != nil {
			return nil, err
		}
		found = append(found, AskTable{Name: name, Doc: ask.TableDoc(name), Columns: columns})
	}
	t.known, t.at = found, time.Now()
	return found, nil
}

func (t *tables) columns(ctx context.Context, organisation schema.OrganisationID, table string) ([]AskColumn, error) {
	answer, err := ask.Run(ctx, t.warehouse, organisation, ask.Statement{SQL: "DESCRIBE TABLE `" + table + "`"})
	if err != nil {
		return nil, err
	}
	columns := []AskColumn{}
	for _, row := range answer.Rows {
		c := AskColumn{Name: ask.Text(row, answer.Columns, "name"), Type: ask.Text(row, answer.Columns, "type"), Comment: ask.Text(row, answer.Columns, "comment")}
		columns = append(columns, c)
	}
	return columns, nil
}

type (
	tablesInput struct {
		OrganisationID schema.OrganisationID `query:"organisation_id" format:"uuid"`
	}
	tablesOutput struct {
		Body struct {
			Items []AskTable `json:"items" nullable:"false"`
		}
	}
)

func (r *askRoutes) listTables(ctx context.Context, in *tablesInput) (*tablesOutput, error) {
	organisation, err := r.organisation(ctx, in.OrganisationID)
	if err != nil {
		return nil, err
	}
	shell.Saw(ctx, organisation)
	out := &tablesOutput{}
	out.Body.Items, err = r.tables.list(ctx, organisation)
	return out, err
}
