package http

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
)

// Caller does for a handler of [Server.Handle] what [Route] does for an operation
// with May(action): it says who calls, refuses who may not, and returns the context
// in which he acts.
func (s *Server) Caller(r *http.Request, action access.Action) (Principal, context.Context, error) {
	p, err := s.Authenticate(r)
	if err == nil {
		err = May(action).check(p)
	}
	if err != nil {
		return Principal{}, nil, err
	}
	p.action = action
	ctx := audit.By(r.Context(), p.actor(s.clientAddress(r)))
	return p, context.WithValue(ctx, principalKey{}, p), nil
}

// Describe adds an operation of [Server.Handle] to the OpenAPI document.
func (s *Server) Describe(op huma.Operation) {
	described := op.Responses
	s.documentErrors(&op)
	for status, response := range described {
		op.Responses[status] = response
	}
	if len(described) == 0 {
		op.Responses["200"] = &huma.Response{Description: http.StatusText(http.StatusOK)}
	}
	s.api.OpenAPI().AddOperation(&op)
}
