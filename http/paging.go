package http

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// PageInput is embedded in the input of every list.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Rows of one page"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next of the page before"`

	url url.URL
}

// Resolve implements huma.Resolver: the Link header needs the whole address.
func (p *PageInput) Resolve(ctx huma.Context) []error {
	p.url = ctx.URL()
	return nil
}

// Page returns what to ask the store for.
func (p *PageInput) Page() (postgres.Page, error) {
	page := postgres.Page{Limit: p.Limit}
	if p.Cursor == "" {
		return page, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	var parts [2]string
	if err == nil {
		err = json.Unmarshal(text, &parts)
	}
	if err == nil {
		_, err = schema.ParseID[schema.TagID](parts[1])
	}
	if err != nil {
		return page, &schema.Error{Kind: schema.Invalid, Field: "cursor", Message: "is not what next said", Err: err}
	}
	page.After = postgres.Cursor{Key: parts[0], ID: parts[1]}
	return page, nil
}

// List is the body of every list.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next" doc:"The cursor of the next page, empty at the end"`
}

// ListOutput is the output of every list; Link names the next page, RFC 8288.
type ListOutput[T any] struct {
	Link string `header:"Link" doc:"The next page, RFC 8288"`
	Body List[T]
}

// Paged returns the output of a list: every row by convert, and where it goes on.
func Paged[R, T any](in *PageInput, rows []R, next postgres.Cursor, convert func(R) T) *ListOutput[T] {
	out := &ListOutput[T]{Body: List[T]{Items: make([]T, len(rows))}}
	for i, row := range rows {
		out.Body.Items[i] = convert(row)
	}
	if next == (postgres.Cursor{}) {
		return out
	}
	out.Body.Next = EncodeCursor(next)
	query := in.url.Query()
	query.Set("cursor", out.Body.Next)
	query.Set("limit", strconv.Itoa(in.Limit))
	out.Link = "<" + in.url.EscapedPath() + "?" + query.Encode() + `>; rel="next"`
	return out
}

// EncodeCursor writes a place in an order as [PageInput.Page] reads it; the zero place,
// the end, is empty.
func EncodeCursor(c postgres.Cursor) string {
	if c == (postgres.Cursor{}) {
		return ""
	}
	text, err := json.Marshal([2]string{c.Key, c.ID})
	if err != nil {
		panic("BUG: a cursor cannot be encoded: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
