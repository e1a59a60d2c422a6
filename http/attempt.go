package http

import (
	"context"
	"net/netip"
	"strings"

	"mybeacon/schema"
)

// AddressOf returns the address that the request counts for.
func AddressOf(ctx context.Context) netip.Addr { return addressOf(ctx) }

// Attempt lets do prove something - a password, a code - at most ten times in fifteen
// minutes without success, per account and per address. The account is an e-mail,
// whether there is one or not. Attempts that came to no outcome are not counted.
func (s *Server) Attempt(ctx context.Context, account string, do func(context.Context) (proven bool, err error)) (bool, error) {
	keys := []string{accountKey(account), addressKeyOf(ctx)}
	if err := s.failures.take(s.now(), keys...); err != nil {
		s.cfg.Metrics.refused(tooManyBad)
		return false, err
	}
	proven, err := do(ctx)
	switch {
	case err != nil:
		s.failures.refund(keys...)
	case proven:
		s.failures.succeed(keys[0], keys[1])
	default:
		s.cfg.Metrics.refused(badPassword)
	}
	return proven && err == nil, err
}

// AttemptLink lets do use a link at most ten times in fifteen minutes without success
// per address: only a NotFound is counted.
func (s *Server) AttemptLink(ctx context.Context, do func(context.Context) error) error {
	return s.counting(addressKeyOf(ctx), schema.NotFound, func() error { return do(ctx) })
}

// AttemptInvitation lets do invite somebody; at most ten times in fifteen minutes may a
// person learn by a Conflict that an e-mail has an account.
func (s *Server) AttemptInvitation(ctx context.Context, p Principal, do func(context.Context) error) error {
	return s.counting("inviter "+p.ID.String(), schema.Conflict, func() error { return do(ctx) })
}

// counting counts the failures of one kind against the key.
func (s *Server) counting(key string, counted schema.Kind, do func() error) error {
	if err := s.links.take(s.now(), key); err != nil {
		s.cfg.Metrics.refused(tooManyBad)
		return err
	}
	err := do()
	if schema.KindOf(err) != counted || err == nil {
		s.links.refund(key)
	}
	return err
}

// MayMail counts a mail that somebody asks for who is not logged in. TooMany says that
// the address asked too often; may is false when the e-mail has got too many, which
// nobody must notice, since it would tell that there is an account.
func (s *Server) MayMail(ctx context.Context, email string) (may bool, err error) {
	if err := s.askers.take(s.now(), addressKeyOf(ctx)); err != nil {
		return false, err
	}
	return s.asked.take(s.now(), accountKey(email)) == nil, nil
}

func accountKey(email string) string { return "account " + strings.ToLower(strings.TrimSpace(email)) }

func addressKeyOf(ctx context.Context) string { return "address " + limitKey(addressOf(ctx)) }

// Proves reports whether the password is the principal's own, see [Server.Attempt].
func (s *Server) Proves(ctx context.Context, p Principal, password string) (bool, error) {
	return s.Attempt(ctx, p.Email, func(ctx context.Context) (bool, error) {
		hash, err := s.db.PasswordHash(ctx, p.ID)
		if err != nil {
			return false, err
		}
		return s.passwords.Matches(ctx, password, hash)
	})
}

// Passwords returns the hasher, whose cost all share.
func (s *Server) Passwords() *Passwords { return s.passwords }
