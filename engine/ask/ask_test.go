package ask_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mybeacon/engine/ask"
	"mybeacon/schema"
)

// answering is a warehouse with one answer, which counts what is read of it.
type answering struct {
	status int
	body   io.Reader
	read   int
}

func (a *answering) Ask(context.Context, schema.OrganisationID, url.Values, string) (*http.Response, error) {
	head := http.Header{"X-Clickhouse-Format": {"JSONCompactEachRowWithNamesAndTypes"}}
	return &http.Response{StatusCode: a.status, Header: head, Body: io.NopCloser(a)}, nil
}

// Read implements [io.Reader].
func (a *answering) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	a.read += n
	return n, err
}

func run(t *testing.T, a *answering) (ask.Answer, error) {
	t.Helper()
	return ask.Run(t.Context(), a, schema.NewID[schema.OrganisationID](), ask.Statement{SQL: "SELECT x, \xff FROM visits"})
}

const head = `["x"]` + "\n" + `["String"]` + "\n"

// A row of any size is read no further than an answer may go.
func TestHugeRows(t *testing.T) {
	const most = 17 << 20
	for name, begin := range map[string]string{"a value": `["`, "the names": ""} {
		before := head
		if begin == "" {
			before, begin = "", `["`
		}
		a := &answering{status: 200, body: io.MultiReader(strings.NewReader(before+begin), strings.NewReader(strings.Repeat("x", 2*most)))}
		if _, err := run(t, a); schema.KindOf(err) != schema.TooLarge || a.read > most {
			t.Errorf("%s: got %v after %d bytes", name, err, a.read)
		}
	}
	a := &answering{status: 200, body: strings.NewReader(head + `["first"]` + "\n" + `["` + strings.Repeat("x", 2*most))}
	if got, err := run(t, a); err != nil || len(got.Rows) != 1 || !got.Truncated || a.read > most {
		t.Errorf("got %d rows, %v after %d bytes", len(got.Rows), err, a.read)
	}
}

// Bytes that are no text are no reason to fail otherwise than the warehouse says.
func TestFailureWithBytes(t *testing.T) {
	a := &answering{status: 404, body: strings.NewReader("Code: 47. DB::Exception: Unknown expression identifier `\xff` in scope SELECT. (UNKNOWN_IDENTIFIER)")}
	if _, err := run(t, a); schema.KindOf(err) != schema.Invalid || !strings.Contains(err.Error(), "Unknown expression identifier") {
		t.Errorf("got %v", err)
	}
}
