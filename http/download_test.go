package http_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/export"
	shell "mybeacon/http"
	"mybeacon/http/shelltest"
	"mybeacon/schema"
)

// slowExports keep each stream open until they are released.
type slowExports struct{ opened, release chan struct{} }

func (x slowExports) Stream(context.Context, export.Request) (*export.Stream, error) {
	x.opened <- struct{}{}
	<-x.release
	return nil, schema.Errorf(schema.Unavailable, "", "released")
}

// An organisation has four streams open at once; the next is refused and may come again.
func TestStreamsAreBounded(t *testing.T) {
	x := slowExports{make(chan struct{}, 9), make(chan struct{})}
	s := shelltest.Start(t, func(c *shell.Config) { c.Exports = x }, func(s *shelltest.Server) {
		op := huma.Operation{OperationID: "get-rows", Method: http.MethodGet, Path: "/api/v1/client/rows"}
		op.Middlewares = huma.Middlewares{s.Downloadable("ble/rows")}
		shell.Route(s.Server, shell.May(access.Export), op, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	})
	_, owner := ownerOf(t, s, "o")
	const path = "/api/v1/client/rows?format=csv"
	answers := make(chan int)
	for range 4 {
		go func() { answers <- owner.Do("GET", path, nil).StatusCode }()
		<-x.opened
	}
	if r := owner.Want(http.StatusTooManyRequests, "GET", path, nil, nil); r.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to come again")
	}
	close(x.release)
	for range 4 {
		if got := <-answers; got != http.StatusServiceUnavailable {
			t.Errorf("got %d", got)
		}
	}
	owner.Want(http.StatusServiceUnavailable, "GET", path, nil, nil) // places were given back
}
