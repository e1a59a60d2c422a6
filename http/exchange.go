package http

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mybeacon/schema"
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
	if op := ctx.Operation(); ownsCondition(op) && op.Method != http.MethodPost {
		run(h, withConditions(r))
	} else {
		s.answer(h, withConditions(r), run)
	}
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
		if err := readFirst(h, r); err != nil {
			s.WriteError(h, r, err)
			return
		}
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

// bodyPatience is for how long a conditional change's body may take to come.
const bodyPatience = 5 * time.Second

// readFirst reads the body of a conditional change: who sends it slowly must not hold a
// place that others wait for.
func readFirst(h *held, r *http.Request) error {
	if r.Header.Get("If-Match") == "" {
		return nil
	}
	connection := http.NewResponseController(h)
	_ = connection.SetReadDeadline(time.Now().Add(bodyPatience)) // a recorder of a test has none
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	_ = connection.SetReadDeadline(time.Time{})
	if err != nil {
		return &schema.Error{Kind: schema.Invalid, Message: "the request's body could not be read", Err: err}
	}
	if len(body) > maxBody {
		return schema.Errorf(schema.TooLarge, "If-Match", "a conditional change has at most %d bytes", maxBody)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
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
