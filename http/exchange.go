package http

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// exchange is what every operation of [Route] passes once its caller is known, and
// no handler needs to care for: rates, tags and conditions, idempotency keys,
// compression.
func (s *Server) exchange(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	r = r.WithContext(ctx.Context())
	run := func(w http.ResponseWriter, r *http.Request) {
		next(badRequestContext{humago.NewContext(ctx.Operation(), r, w)})
	}
	h := hold(w)
	if p, known := r.Context().Value(principalKey{}).(Principal); known && !inner(r.Context()) {
		if err := s.spendCaller(h.header, p); err != nil {
			s.WriteError(w, r, err)
			return
		}
	}
	volatile, _ := ctx.Operation().Metadata[volatileKey].([]string)
	s.answer(h, r, run)
	switch r.Method {
	case http.MethodGet:
		h.tag(volatile)
	case http.MethodPut, http.MethodPatch:
		if read := s.sameAsRead(ctx.Operation()); read != nil {
			readVolatile, _ := read.Metadata[volatileKey].([]string)
			h.tag(readVolatile)
		}
	}
	if h.passed {
		return
	}
	if !inner(r.Context()) {
		s.packer.pack(r.Header.Get("Accept-Encoding"), h)
		h.unlessKnown(r)
	}
	_ = h.send() // the peer has gone: nobody is left to tell
}

// answer runs the handler, under the conditions of the request.
func (s *Server) answer(h *held, r *http.Request, run func(http.ResponseWriter, *http.Request)) {
	switch r.Method {
	case http.MethodPost:
		s.idempotently(h, r, run)
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		conditional, done, err := s.condition(r)
		if err != nil {
			s.WriteError(h, r, err)
			return
		}
		defer done()
		run(h, conditional)
	default:
		run(h, r)
	}
}

// sameAsRead returns the operation that reads at the address of a changing one, when
// both answer with the same type: the answer then has the tag that a reader gets.
func (s *Server) sameAsRead(op *huma.Operation) *huma.Operation {
	item := s.api.OpenAPI().Paths[op.Path]
	if item == nil || item.Get == nil {
		return nil
	}
	if read := answerType(item.Get); read == "" || read != answerType(op) {
		return nil
	}
	return item.Get
}

// answerType names the type of an operation's answer of 200, "" for none.
func answerType(op *huma.Operation) string {
	response := op.Responses["200"]
	if response == nil || response.Content["application/json"] == nil || response.Content["application/json"].Schema == nil {
		return ""
	}
	return response.Content["application/json"].Schema.Ref
}
