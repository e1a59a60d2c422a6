package http

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// The second factor: codes of an authenticator (RFC 6238, six digits, 30 s, SHA-1,
// which is what all of them do) and recovery codes for when it is lost.
const (
	stepSeconds = 30
	// drift is by how many steps the authenticator's clock may be off.
	drift         = 1
	recoveryCodes = 10
	recoveryBytes = 10 // 16 letters, 80 bits
	// KeyBytes is the length of the key that secrets are sealed with.
	KeyBytes = 32
)

// Factors checks second factors. It is safe for concurrent use.
type Factors struct {
	db   *postgres.DB
	seal cipher.AEAD // nil: there is no key
}

func newFactors(db *postgres.DB, key []byte) (*Factors, error) {
	if len(key) == 0 {
		return &Factors{db: db}, nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("http: Config.Key: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	return &Factors{db: db, seal: seal}, err
}

// Factors returns the checker of second factors.
func (s *Server) Factors() *Factors { return s.factors }

var errNoKey = schema.Errorf(schema.Unavailable, "", "second factors need the key of the data directory, which this server was started without")

// NewSecret returns a new secret for an authenticator and the secret as it is stored.
func (f *Factors) NewSecret(issuer string, p postgres.Account) (key *otp.Key, sealed []byte, err error) {
	if f.seal == nil {
		return nil, nil, errNoKey
	}
	key, err = totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: p.Email})
	if err != nil {
		return nil, nil, fmt.Errorf("make a secret: %w", err)
	}
	nonce := make([]byte, f.seal.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	// Bound to the account: a row that is copied to another one opens nothing.
	return key, f.seal.Seal(nonce, nonce, []byte(key.Secret()), p.ID[:]), nil
}

func (f *Factors) open(sealed []byte, account schema.UserID) (string, error) {
	if f.seal == nil {
		return "", errNoKey
	}
	n := f.seal.NonceSize()
	if len(sealed) < n {
		return "", errors.New("open a second factor: it is too short")
	}
	secret, err := f.seal.Open(nil, sealed[:n], sealed[n:], account[:])
	if err != nil {
		return "", fmt.Errorf("open a second factor (was it sealed with the key of another data directory?): %w", err)
	}
	return string(secret), nil
}

// Step returns the step whose code it is, or 0: a code of the step now, before or
// after it.
func (f *Factors) Step(stored postgres.SecondFactor, account schema.UserID, code string, now time.Time) (int64, error) {
	secret, err := f.open(stored.Secret, account)
	if err != nil {
		return 0, err
	}
	found, current := int64(0), now.Unix()/stepSeconds
	for step := current - drift; step <= current+drift; step++ {
		want, err := totp.GenerateCode(secret, time.Unix(step*stepSeconds, 0))
		if err != nil {
			return 0, fmt.Errorf("make a code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > stored.LastStep {
			found = step
		}
	}
	return found, nil
}

// Check reports whether the account has a second factor and whether the code is right:
// one of the authenticator that was not used yet, or a recovery code. It is used up.
func (f *Factors) Check(ctx context.Context, a postgres.Account, code string, now time.Time) (has, right bool, err error) {
	stored, err := f.db.SecondFactor(ctx, a.ID)
	if schema.KindOf(err) == schema.NotFound || err == nil && !stored.Confirmed {
		return false, true, nil
	}
	code = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
	if err != nil || code == "" {
		return true, false, err
	}
	if len(code) > 6 {
		right, err = f.db.UseRecoveryCode(ctx, a, code, now)
		return true, right, err
	}
	step, err := f.Step(stored, a.ID, code, now)
	if err != nil || step == 0 {
		return true, false, err
	}
	right, err = f.db.UseStep(ctx, a.ID, step)
	return true, right, err
}

// NewRecoveryCodes returns ten codes as they are stored, see [ShowCode].
func NewRecoveryCodes() []string {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		var b [recoveryBytes]byte
		if _, err := rand.Read(b[:]); err != nil {
			panic("BUG: crypto/rand failed: " + err.Error())
		}
		codes[i] = base32.StdEncoding.EncodeToString(b[:])
	}
	return codes
}

// ShowCode returns a recovery code as people read it, in groups of four.
func ShowCode(code string) string {
	var groups []string
	for len(code) > 4 {
		groups, code = append(groups, code[:4]), code[4:]
	}
	return strings.Join(append(groups, code), "-")
}
