package http

import (
	"context"
	"fmt"
	"net/mail"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// The cost of a password hash: OWASP's first choice for argon2id, about 40 ms on
// one core. Two at a time, so that a flood of logins takes neither all cores nor
// more than 38 MiB.
const (
	hashMemoryKiB   = 19 << 10
	hashIterations  = 2
	hashConcurrency = 2
	// hashPatience bounds waiting for a turn.
	hashPatience = 5 * time.Second
)

// The bounds of a new password, in characters and bytes.
const (
	minPassword      = 8
	maxPasswordBytes = 512
)

// Passwords hashes and checks passwords with bounded cost. It is safe for
// concurrent use.
type Passwords struct {
	turns chan struct{}
	dummy string // the hash of nothing anybody knows
}

// NewPasswords returns a hasher.
func NewPasswords() (*Passwords, error) {
	p := &Passwords{turns: make(chan struct{}, hashConcurrency)}
	dummy, err := p.Hash(context.Background(), postgres.NewSecret(""))
	if err != nil {
		return nil, err
	}
	p.dummy = dummy
	return p, nil
}

// Hash returns what to store of the password.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	params := &argon2id.Params{Memory: hashMemoryKiB, Iterations: hashIterations, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	hash, err := argon2id.CreateHash(password, params)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// Matches reports whether the hash is the password's. With an empty hash it
// takes as long and says no.
func (p *Passwords) Matches(ctx context.Context, password, hash string) (bool, error) {
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	against := hash
	if against == "" {
		against = p.dummy
	}
	ok, err := argon2id.ComparePasswordAndHash(password, against)
	if err != nil {
		return false, fmt.Errorf("check password: %w", err)
	}
	return ok && hash != "", nil
}

func (p *Passwords) enter(ctx context.Context) error {
	timer := time.NewTimer(hashPatience)
	defer timer.Stop()
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-timer.C:
		return schema.Errorf(schema.Unavailable, "", "too many log-ins at once, try again later")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Passwords) leave() { <-p.turns }

// EnsureSuperAdmin makes the first super-admin with this e-mail and password
// and reports whether it did: nothing happens when there is a super-admin, so
// that settings left in the environment do not reset a changed password.
func EnsureSuperAdmin(ctx context.Context, db *postgres.DB, email, password string) (created bool, err error) {
	if exists, err := db.HasSuperAdmin(ctx); err != nil || exists {
		return false, err
	}
	if err := checkEmail(email); err != nil {
		return false, err
	}
	if err := checkPassword(password); err != nil {
		return false, err
	}
	passwords, err := NewPasswords()
	if err != nil {
		return false, err
	}
	hash, err := passwords.Hash(ctx, password)
	if err != nil {
		return false, err
	}
	return db.CreateFirstSuperAdmin(ctx, email, hash)
}

func checkEmail(email string) error {
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || len(email) > 254 {
		return schema.Errorf(schema.Invalid, "email", "%.80q is not an e-mail address such as admin@example.com", email)
	}
	return nil
}

func checkPassword(password string) error {
	if utf8.RuneCountInString(password) < minPassword || len(password) > maxPasswordBytes {
		return schema.Errorf(schema.Invalid, "password", "must have at least %d characters and at most %d bytes", minPassword, maxPasswordBytes)
	}
	return nil
}
