package http

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mybeacon/schema"
)

// Problem is the body of every error, RFC 9457.
type Problem struct {
	Type      string         `json:"type" doc:"urn:mybeacon:problem: and the kind of the error" example:"urn:mybeacon:problem:not_found"`
	Title     string         `json:"title" doc:"The meaning of the status"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail" doc:"What is wrong and what would be right"`
	Instance  string         `json:"instance" doc:"The path of the request"`
	RequestID string         `json:"request_id" doc:"Names the request in the server's log"`
	Errors    []ProblemError `json:"errors,omitempty" nullable:"false" doc:"The inputs that are wrong"`

	headers http.Header
}

// ProblemError says what is wrong with one input.
type ProblemError struct {
	Field   string `json:"location" doc:"The input, such as polygon or receivers[3].x"`
	Message string `json:"message"`
	Value   any    `json:"value,omitempty" doc:"Details for a program, such as where edges cross"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders tells huma the further headers.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// statusLeft is for callers who closed their connection; nobody reads it but the log.
const statusLeft = 499

// statuses is the one table from kinds of failure to HTTP.
func statusOf(kind schema.Kind) int {
	switch kind {
	case schema.Invalid:
		return http.StatusBadRequest
	case schema.NotFound:
		return http.StatusNotFound
	case schema.Conflict:
		return http.StatusConflict
	case schema.Unauthorized:
		return http.StatusUnauthorized
	case schema.Forbidden:
		return http.StatusForbidden
	case schema.TooLarge:
		return http.StatusRequestEntityTooLarge
	case schema.TooMany:
		return http.StatusTooManyRequests
	case schema.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// kindOfStatus names the kind of a status that huma or the router chose.
func kindOfStatus(status int) string {
	for kind := schema.Internal; kind <= schema.Unavailable; kind++ {
		if kind != schema.Internal && statusOf(kind) == status {
			return kind.String()
		}
	}
	switch {
	case status == http.StatusMethodNotAllowed:
		return "method_not_allowed"
	case status == http.StatusPreconditionFailed:
		return "precondition_failed"
	case status == http.StatusMisdirectedRequest:
		return "misdirected"
	case status >= 400 && status < 500:
		return schema.Invalid.String()
	default:
		return schema.Internal.String()
	}
}

// RetryAfter is implemented by the cause of an error that knows when to try
// again.
type RetryAfter interface{ RetryAfter() time.Duration }

// RateLimit is implemented by the cause of an error that knows what is left of a
// quota: how much a second, how much at once now, and when all of it is back.
type RateLimit interface {
	RateLimit() (limit, remaining int, reset time.Duration)
}

// ProblemValue is implemented by the cause of an error that has details for a
// program; they become the value in the problem's errors.
type ProblemValue interface{ ProblemValue() any }

// problemOf turns an error into what the caller sees. An error that nobody
// classified is logged and its text kept back.
func (s *Server) problemOf(ctx context.Context, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var late Outdated
	if errors.As(err, &late) {
		return outdated(late)
	}
	var e *schema.Error
	if !errors.As(err, &e) || e.Kind == schema.Internal {
		// A caller who left is no failure of ours, neither in the log nor in the metrics.
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return newProblem(statusLeft, "the caller left before the answer")
		}
		s.log.ErrorContext(ctx, "request failed", "request", requestID(ctx), "error", err)
		return newProblem(http.StatusInternalServerError, "an internal error; it was logged under the request id")
	}
	p = newProblem(statusOf(e.Kind), (&schema.Error{Field: e.Field, Message: e.Message}).Error())
	if e.Field != "" {
		p.Errors = []ProblemError{{Field: e.Field, Message: e.Message, Value: valueOf(e)}}
	}
	setHeaders(p, e)
	return p
}

func newProblem(status int, detail string) *Problem {
	return &Problem{
		Type: "urn:mybeacon:problem:" + kindOfStatus(status), Title: http.StatusText(status),
		Status: status, Detail: detail, headers: http.Header{},
	}
}

func valueOf(e *schema.Error) any {
	var v ProblemValue
	if e.Err != nil && errors.As(e.Err, &v) {
		return v.ProblemValue()
	}
	return nil
}

func setHeaders(p *Problem, e *schema.Error) {
	var rate RateLimit
	if e.Err != nil && errors.As(e.Err, &rate) {
		setRateLimit(p.headers, rate)
	}
	var after RetryAfter
	switch {
	case e.Err != nil && errors.As(e.Err, &after):
		seconds := int((after.RetryAfter() + time.Second - 1) / time.Second)
		p.headers.Set("Retry-After", strconv.Itoa(max(seconds, 1)))
	case e.Kind == schema.Unavailable:
		p.headers.Set("Retry-After", "5")
	case e.Kind == schema.Unauthorized:
		p.headers.Set("WWW-Authenticate", `Bearer realm="mybeacon"`)
	}
}

func setRateLimit(h http.Header, rate RateLimit) {
	limit, remaining, reset := rate.RateLimit()
	if limit == 0 {
		return
	}
	h.Set("RateLimit-Limit", strconv.Itoa(limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set("RateLimit-Reset", strconv.Itoa(int((reset+time.Second-1)/time.Second)))
}

// asProblem is the transformer through which every body of huma's goes: its own
// errors take our form, and ours learn the request.
func asProblem(ctx huma.Context, _ string, body any) (any, error) {
	p, ok := body.(*Problem)
	if model, isHuma := body.(*huma.ErrorModel); isHuma {
		p, ok = fromHuma(model), true
	}
	if !ok {
		return body, nil
	}
	url := ctx.URL()
	p.Instance, p.RequestID = url.Path, requestID(ctx.Context())
	return p, nil
}

func fromHuma(m *huma.ErrorModel) *Problem {
	status := m.Status
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	p := newProblem(status, m.Detail)
	var details []string
	for _, d := range m.Errors {
		if d == nil {
			continue
		}
		field := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(d.Location, "body."), "query."), "path.")
		// The value is left out: it may be a password.
		p.Errors = append(p.Errors, ProblemError{Field: field, Message: d.Message})
		details = append(details, field+": "+d.Message)
	}
	if status >= 500 {
		p.Errors, details = nil, nil
	}
	if len(details) > 0 {
		p.Detail = strings.Join(details, "; ")
	}
	return p
}

// asBadRequest makes one status of all invalid input: huma answers 422 to what
// fails its schema and 400 to what it cannot parse.
func asBadRequest(ctx huma.Context, next func(huma.Context)) { next(badRequestContext{ctx}) }

type humaContext huma.Context

type badRequestContext struct{ humaContext }

// Unwrap lets humago find its own context.
func (c badRequestContext) Unwrap() huma.Context { return c.humaContext }

// SetStatus implements huma.Context.
func (c badRequestContext) SetStatus(code int) {
	if code == http.StatusUnprocessableEntity {
		code = http.StatusBadRequest
	}
	c.humaContext.SetStatus(code)
}

// WriteError answers with the problem document of the error; raw handlers use
// it so that all errors look alike.
func (s *Server) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	writeProblem(w, r, s.problemOf(r.Context(), err))
}

func (s *Server) writeMethodNotAllowed(w http.ResponseWriter, r *http.Request, allowed []string) {
	p := newProblem(http.StatusMethodNotAllowed, "this address takes "+strings.Join(allowed, ", "))
	p.headers.Set("Allow", strings.Join(allowed, ", "))
	writeProblem(w, r, p)
}

func writeProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	p.Instance, p.RequestID = r.URL.Path, requestID(r.Context())
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the peer has gone: nobody is left to tell
}
