package postgres

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// The prefixes say at sight what a leaked secret opens.
const (
	APITokenPrefix     = "mbt_"
	APIKeyPrefix       = "mbk_"
	DeviceTokenPrefix  = "mbd_"
	ShareTokenPrefix   = "mbl_" // of a link to a live map
	ShareSessionPrefix = "mbs_" // of a browser that opened one
)

const secretBytes = 32

// NewSecret returns the prefix and 256 random bits as base64url.
func NewSecret(prefix string) string {
	var b [secretBytes]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// IsSecret reports whether the text has the form that [NewSecret] gives, so
// that anything else costs no look-up.
func IsSecret(prefix, text string) bool {
	rest, ok := strings.CutPrefix(text, prefix)
	return ok && len(rest) == base64.RawURLEncoding.EncodedLen(secretBytes)
}

// hashSecret is what the store keeps. The secret is random and long, so a plain
// hash cannot be turned back, and finding it by a unique index leaks nothing
// about another secret's hash that would help to guess a secret.
func hashSecret(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}
