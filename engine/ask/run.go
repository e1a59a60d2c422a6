package ask

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mybeacon/schema"
)

// The bounds of a statement and its answer.
const (
	MaxSQL       = 64 << 10 // bytes
	MaxRows      = 10_000
	DefaultRows  = 1_000
	maxAnswer    = 16 << 20                              // bytes
	maxCell      = 64 << 10                              // bytes of one value as JSON
	answerFormat = "JSONCompactEachRowWithNamesAndTypes" // no frame around the rows: they are good as far as they came
)

// Warehouse answers statements as the reader of one organisation.
type Warehouse interface {
	Ask(ctx context.Context, organisation schema.OrganisationID, q url.Values, sql string) (*http.Response, error)
}

// Statement is what a person asks.
type Statement struct {
	SQL    string
	Params map[string]string // values of {name:Type}, by name
	Limit  int               // rows of the answer; 0: DefaultRows
}

// Check returns what is wrong with the statement before the warehouse sees it.
func (s Statement) Check() error {
	switch {
	case strings.TrimSpace(s.SQL) == "":
		return schema.Errorf(schema.Invalid, "sql", "is empty: write a statement such as SELECT * FROM visits LIMIT 10")
	case len(s.SQL) > MaxSQL:
		return schema.Errorf(schema.TooLarge, "sql", "has %d bytes: a statement has at most %d", len(s.SQL), MaxSQL)
	case s.Limit < 0 || s.Limit > MaxRows:
		return schema.Errorf(schema.Invalid, "limit", "must be between 1 and %d", MaxRows)
	}
	return checkValues(s.Params)
}

// Column is one column of an answer.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type" doc:"ClickHouse's name of it"`
}

// Answer is the beginning of the warehouse's answer, or all of it.
type Answer struct {
	Columns   []Column
	Rows      [][]any
	RowsRead  int64 // of the tables; 0 where the warehouse does not say
	Elapsed   time.Duration
	Truncated bool // there are more rows, or more bytes, than are taken
}

// escape writes a value as ClickHouse's HTTP interface reads parameters.
var escape = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

// Run puts the statement to the warehouse. What is wrong with it is an error that names
// sql, and where it says so its line and column. The statement ends when enough rows
// have come.
func Run(ctx context.Context, w Warehouse, organisation schema.OrganisationID, s Statement) (Answer, error) {
	if err := s.Check(); err != nil {
		return Answer{}, err
	}
	if s.Limit == 0 {
		s.Limit = DefaultRows
	}
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	// One row more than wanted tells whether there are more.
	q := url.Values{"default_format": {answerFormat}, "limit": {strconv.Itoa(s.Limit + 1)}}
	for name, value := range s.Params {
		q.Set("param_"+name, escape.Replace(value))
	}
	began := time.Now()
	resp, err := w.Ask(ctx, organisation, q, s.SQL)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close() // it was only read
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxFailure)) // a cut message is better than none
		return Answer{}, explain(s.SQL, resp.StatusCode, string(text))
	}
	if format := resp.Header.Get("X-ClickHouse-Format"); format != answerFormat {
		return Answer{}, schema.Errorf(schema.Invalid, "sql", "asks for the format %s: leave FORMAT out, the page shows the rows itself", format)
	}
	a, err := readAnswer(s, resp.Body)
	a.RowsRead = rowsRead(resp.Header.Get("X-ClickHouse-Summary"))
	a.Elapsed = time.Since(began)
	return a, err
}

// rowsRead reads the summary that a warehouse sends, if it does.
func rowsRead(summary string) int64 {
	var s struct {
		RowsRead string `json:"read_rows"`
	}
	if json.Unmarshal([]byte(summary), &s) != nil {
		return 0
	}
	n, err := strconv.ParseInt(s.RowsRead, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
