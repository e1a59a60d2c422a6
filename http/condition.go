package http

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Some handlers know the version of what they change, and compare it in the change's
// own transaction. They do better than [Server.condition]: a request that is repeated
// because its answer was lost finds all as it wants it and is no conflict, and who
// comes too late is told who was first.

// OwnCondition marks an operation whose handler looks at [IfMatch] itself.
func OwnCondition(op huma.Operation) huma.Operation {
	if op.Metadata == nil {
		op.Metadata = map[string]any{}
	}
	op.Metadata[ownConditionKey] = true
	return op
}

const ownConditionKey = "ownCondition"

func ownsCondition(op *huma.Operation) bool { return op.Metadata[ownConditionKey] == true }

type conditionsKey struct{}

// withConditions lets the handler see the request's conditions.
func withConditions(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), conditionsKey{}, r.Header))
}

func conditionOf(ctx context.Context, name string) string {
	header, _ := ctx.Value(conditionsKey{}).(http.Header)
	return header.Get(name)
}

// IfMatch returns the If-Match of a request of an operation with [OwnCondition], empty
// where there is none.
func IfMatch(ctx context.Context) string { return conditionOf(ctx, "If-Match") }

// Matches reports whether the tag is one of those that an If-Match names.
func Matches(header, tag string) bool { return matches(header, tag) }

// HasAlready reports whether the request says that its sender has the answer with the
// tag: of an answer that is too long to be held back, for which the handler answers 304
// itself.
func HasAlready(ctx context.Context, tag string) bool {
	return !noneMatch(conditionOf(ctx, "If-None-Match"), tag)
}

// Outdated is implemented by an error of a change whose caller did not know the newest
// state; it becomes 412. value is for a program: who changed what since.
type Outdated interface {
	error
	Outdated() (detail string, value any)
}

func outdated(e Outdated) *Problem {
	detail, value := e.Outdated()
	p := newProblem(http.StatusPreconditionFailed, detail)
	p.Errors = []ProblemError{{Field: "If-Match", Message: detail, Value: value}}
	return p
}
