package http

import (
	"context"
	_ "embed" // the list of common passwords
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
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
	minPassword      = 10
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
	if err := CheckEmail(email); err != nil {
		return false, err
	}
	if err := CheckNewPassword("password", password, email); err != nil {
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

// CheckEmail refuses what is no plain address, or has characters that a mail's header
// or a log must not hold.
func CheckEmail(email string) error {
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || len(email) > 254 || strings.ContainsFunc(email, unprintable) {
		return schema.Errorf(schema.Invalid, "email", "%.80q is not an e-mail address such as admin@example.com", email)
	}
	return nil
}

func unprintable(r rune) bool { return r <= ' ' || r == 0x7f || !unicode.IsPrint(r) }

// CheckNewPassword refuses a password that is too short or too long, one of those that
// everybody tries first, and the person's own e-mail.
func CheckNewPassword(field, password, email string) error {
	name, _, _ := strings.Cut(email, "@")
	lower := strings.ToLower(password)
	switch {
	case utf8.RuneCountInString(password) < minPassword || len(password) > maxPasswordBytes:
		return schema.Errorf(schema.Invalid, field, "must have at least %d characters and at most %d bytes", minPassword, maxPasswordBytes)
	case strings.EqualFold(password, email), strings.EqualFold(password, name):
		return schema.Errorf(schema.Invalid, field, "must not be the e-mail")
	case commonPassword(lower), strings.Count(lower, firstRune(lower)) == utf8.RuneCountInString(lower):
		return schema.Errorf(schema.Invalid, field, "is one of those that are tried first; take a longer or rarer one")
	}
	return nil
}

//go:embed passwords.txt
var commonPasswords string

// commonPassword reports whether the lower-case password is on the list of the most
// common ones of ten characters and more.
func commonPassword(lower string) bool {
	return !strings.Contains(lower, "\n") && strings.Contains("\n"+commonPasswords, "\n"+lower+"\n")
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
