package http

import (
	"context"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mybeacon/engine/audit"
	"mybeacon/schema"
)

type addressKey struct{}

// addressOf returns the address that the request counts for.
func addressOf(ctx context.Context) netip.Addr {
	address, _ := ctx.Value(addressKey{}).(netip.Addr)
	return address
}

type agentKey struct{}

// agentOf returns what the caller's program calls itself.
func agentOf(ctx context.Context) string {
	agent, _ := ctx.Value(agentKey{}).(string)
	return agent
}

// Route registers an operation of the REST API. The rule is applied before the
// body is read; errors of the handler become problem documents.
func Route[I, O any](s *Server, rule Rule, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	if rule == (Rule{}) {
		panic("BUG: " + op.Path + " has no rule")
	}
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = maxBody
	}
	op.Middlewares = append(huma.Middlewares{s.guard(rule), s.exchange}, op.Middlewares...)
	if rule.level != public {
		op.Security = []map[string][]string{{"session": {}}, {"token": {}}}
	}
	if rule.level == may {
		op.Security = append(op.Security, map[string][]string{"key": {}})
	}
	s.documentErrors(&op)
	describeExchange(&op, rule.level != public)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		ctx = context.WithValue(ctx, sawKey{}, new([]schema.OrganisationID))
		out, err := handler(ctx, in)
		if err == nil {
			err = s.noted(ctx, rule, &op, in, out)
		}
		if err != nil {
			return nil, s.problemOf(ctx, err)
		}
		return out, nil
	})
	describeSuccess(&op, rule.level != public)
}

// guard authenticates the caller, applies the rule, and says in the context who acts.
func (s *Server) guard(rule Rule) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		address := s.clientAddress(r)
		inner := context.WithValue(ctx.Context(), addressKey{}, address)
		inner = context.WithValue(inner, agentKey{}, r.UserAgent())
		if rule.level == public {
			next(huma.WithContext(ctx, audit.By(inner, audit.Actor{Address: address})))
			return
		}
		p, err := s.Authenticate(r)
		if err == nil {
			err = rule.check(p)
		}
		if err != nil {
			s.WriteError(w, r, err)
			return
		}
		p.action = rule.action
		inner = audit.By(inner, p.actor(address))
		next(huma.WithContext(ctx, context.WithValue(inner, principalKey{}, p)))
	}
}
