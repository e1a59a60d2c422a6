package sqlhttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
	"mybeacon/schema"
)

// The bounds of the door.
const (
	maxStatement = 64 << 10 // bytes of a statement's text
	notedPiece   = 1900     // bytes of one field of the audit log
	maxOfOne     = 2        // statements of one organisation at once
	maxOfAll     = 4        // statements at once
)

// Warehouse answers the statements of analysts.
type Warehouse interface {
	// Ask runs the statement as a reader of the organisation's rows and of nothing
	// else. The body of the answer is the caller's to close.
	Ask(ctx context.Context, organisation schema.OrganisationID, q url.Values, sql string) (*http.Response, error)
}

// Log is where exports are written down and organisations looked up.
type Log interface {
	Append(ctx context.Context, scope postgres.Scope, entries ...audit.Entry) error
	Organisation(ctx context.Context, scope postgres.Scope, id schema.OrganisationID) (postgres.Organisation, error)
}

// Callers says who sent a request and answers with errors.
type Callers interface {
	Caller(*http.Request, access.Action) (shell.Principal, context.Context, error)
	WriteError(http.ResponseWriter, *http.Request, error)
}

// Door serves POST /api/v1/client/sql.
type Door struct {
	callers   Callers
	log       Log
	warehouse Warehouse
	slots     *shell.Slots
}

// Register adds the door to the server.
func Register(s *shell.Server, log Log, warehouse Warehouse) *Door {
	d := &Door{callers: s, log: log, warehouse: warehouse, slots: shell.NewSlots(maxOfOne, maxOfAll, "as many statements are running as may at once; try again when one is done")}
	s.Handle("POST /api/v1/client/sql", d)
	s.Describe(operation())
	return d
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := d.serve(w, r); err != nil {
		d.callers.WriteError(w, r, err)
	}
}

// serve returns an error while nothing is answered yet.
func (d *Door) serve(w http.ResponseWriter, r *http.Request) error {
	p, ctx, err := d.callers.Caller(withKey(r), access.Export)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	organisation, err := d.organisation(ctx, p, q.Get("organisation_id"))
	if err != nil {
		return err
	}
	ask, err := parameters(q)
	if err != nil {
		return err
	}
	sql, err := statement(w, r, q.Get("query"))
	if err != nil {
		return err
	}
	leave, err := d.slots.Enter(organisation)
	if err != nil {
		return err
	}
	defer leave()
	if err := d.note(ctx, organisation, sql, q); err != nil {
		return err
	}
	answer, err := d.warehouse.Ask(ctx, organisation, ask, sql)
	if err != nil {
		return err
	}
	defer answer.Body.Close() // it was only read
	carry(w, answer)
	return nil
}

// withKey puts an API key where the shell looks for it: clients of ClickHouse send
// it as a password, in one of two places.
func withKey(r *http.Request) *http.Request {
	key := r.Header.Get("X-ClickHouse-Key")
	if _, password, ok := r.BasicAuth(); ok {
		key = password
	}
	if key == "" {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+key)
	return r
}

// organisation returns whose rows the caller reads: his own; a super-admin who acts
// in none says which.
func (d *Door) organisation(ctx context.Context, p shell.Principal, asked string) (schema.OrganisationID, error) {
	var id schema.OrganisationID
	if asked != "" {
		var err error
		if id, err = schema.ParseID[schema.OrganisationID](asked); err != nil {
			return id, schema.Errorf(schema.NotFound, "organisation_id", "there is no such organisation")
		}
	}
	id, err := p.Owner(id)
	if err != nil {
		return id, err
	}
	if err := p.Decide(access.View, access.Object{Organisation: id}); err != nil {
		return id, err
	}
	if !p.Rights.Everywhere() {
		return id, schema.Errorf(schema.Forbidden, "", "the warehouse shows all locations of the organisation, and yours are some of them; ask an Owner")
	}
	_, err = d.log.Organisation(ctx, postgres.AllOrganisations(), id)
	return id, err
}

// passed are the parameters of ClickHouse's HTTP interface that reach the
// warehouse, dropped those that clients send and that change nothing here.
var (
	passed  = []string{"default_format", "compress", "client_protocol_version", "wait_end_of_query", "max_execution_time", "session_timezone", "max_block_size", "extremes"}
	dropped = []string{
		"query", "organisation_id", "query_id", "enable_http_compression", "http_zlib_compression_level", "send_progress_in_http_headers",
		"network_compression_method", "decompress", "buffer_size", "quota_key", "readonly",
	}
)

// parameters returns what of the address goes to the warehouse.
func parameters(q url.Values) (url.Values, error) {
	ask := url.Values{}
	for key, values := range q {
		switch {
		case slices.Contains(passed, key), strings.HasPrefix(key, "param_"), strings.HasPrefix(key, "output_format_"):
			ask[key] = values
		case key == "database" && slices.Contains([]string{"", "default", "mybeacon"}, q.Get(key)):
		case key == "database":
			return nil, schema.Errorf(schema.Invalid, key, "is mybeacon here, or left out")
		case !slices.Contains(dropped, key):
			return nil, schema.Errorf(schema.Invalid, key, "is no parameter of this door: it takes query, param_*, default_format and output_format_*")
		}
	}
	return ask, nil
}

// statement returns the text of the statement: of the address, the body, or both one
// after the other, as ClickHouse has it.
func statement(w http.ResponseWriter, r *http.Request, fromURL string) (string, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxStatement))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", schema.Errorf(schema.TooLarge, "query", "a statement has at most %d bytes; rows cannot be inserted here", maxStatement)
	case err != nil:
		return "", &schema.Error{Kind: schema.Invalid, Field: "query", Message: "the request's body could not be read", Err: err}
	}
	sql := strings.TrimSpace(strings.TrimSpace(fromURL) + "\n" + string(body))
	if sql == "" {
		return "", schema.Errorf(schema.Invalid, "query", "is empty: send a statement as the body, such as SELECT count() FROM fixes")
	}
	return sql, nil
}

// hello is what clickhouse-go asks first on each connection, before a person has
// asked anything.
const hello = "SELECT displayName(), version(), revision(), timezone()"

// note writes the statement into the organisation's log before it runs: what was
// tried is known, also when it fails. All of it and its parameters: who reads the log
// must see what was asked for, however long the comment before it.
func (d *Door) note(ctx context.Context, organisation schema.OrganisationID, sql string, q url.Values) error {
	if sql == hello {
		return nil
	}
	return d.log.Append(ctx, postgres.In(organisation), audit.Entry{
		Organisation: organisation, Action: audit.Export,
		Object: audit.Object{Kind: "warehouse", Name: "SQL"},
		Fields: noted(sql, q),
	})
}

// noted returns the statement and its parameters in pieces that fit into the log. Both
// may name a person.
func noted(sql string, q url.Values) []audit.Field {
	parameters := url.Values{}
	for name, values := range q {
		if strings.HasPrefix(name, "param_") {
			parameters[name] = values
		}
	}
	fields := pieces("query", sql)
	if len(parameters) > 0 {
		fields = append(fields, pieces("parameters", parameters.Encode())...)
	}
	return fields
}

func pieces(name, text string) (fields []audit.Field) {
	for len(text) > notedPiece {
		cut := notedPiece
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		fields = append(fields, audit.Field{Name: name, New: text[:cut], Personal: true})
		text = text[cut:]
	}
	return append(fields, audit.Field{Name: name, New: text, Personal: true})
}

// carried are the headers of the warehouse's answer that clients look at.
var carried = []string{
	"Content-Type", "Content-Length", "Content-Encoding", "X-Clickhouse-Format", "X-Clickhouse-Timezone", "X-Clickhouse-Summary",
	"X-Clickhouse-Exception-Code", "X-Clickhouse-Exception-Tag",
}

// carry sends the answer on, piece by piece as it comes. One that is cut short is
// cut short here too, so that it does not look whole.
func carry(w http.ResponseWriter, answer *http.Response) {
	for _, name := range carried {
		if values := answer.Header.Values(name); len(values) > 0 {
			w.Header()[name] = values
		}
	}
	status := answer.StatusCode
	if status == http.StatusUnauthorized {
		// Our own password was refused; the caller's was right.
		status = http.StatusBadGateway
	}
	w.WriteHeader(status)
	flush := http.NewResponseController(w)
	buffer := make([]byte, 64<<10)
	for {
		n, err := answer.Body.Read(buffer)
		if n > 0 {
			if _, werr := w.Write(buffer[:n]); werr != nil {
				return // the caller has gone: ending his context ends the statement
			}
			_ = flush.Flush() // of a writer that buffers nothing
		}
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			panic(http.ErrAbortHandler)
		}
	}
}
