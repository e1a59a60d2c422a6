package alert

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"mybeacon/schema"
)

// box seals the secrets of webhooks: a copy of the database alone signs nothing.
type box struct{ aead cipher.AEAD }

// newBox returns a box of its own key, which is derived from the server's; nil without.
func newBox(key []byte) (*box, error) {
	if len(key) == 0 {
		return nil, nil
	}
	own, err := hkdf.Key(sha256.New, key, nil, "mybeacon webhook secrets", 32)
	if err != nil {
		return nil, fmt.Errorf("alert: derive the key of webhooks: %w", err)
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, fmt.Errorf("alert: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return &box{aead}, err
}

var errNoKey = schema.Errorf(schema.Unavailable, "", "webhooks need the key of the data directory, which this server was started without")

// seal binds the secret to its webhook: a row that is copied to another one opens nothing.
func (b *box) seal(secret string, of WebhookID) ([]byte, error) {
	if b == nil {
		return nil, errNoKey
	}
	nonce := make([]byte, b.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		panic("BUG: crypto/rand failed: " + err.Error())
	}
	return b.aead.Seal(nonce, nonce, []byte(secret), of[:]), nil
}

func (b *box) open(sealed []byte, of WebhookID) (string, error) {
	if b == nil {
		return "", errNoKey
	}
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return "", errors.New("open the secret of a webhook: it is too short")
	}
	secret, err := b.aead.Open(nil, sealed[:n], sealed[n:], of[:])
	if err != nil {
		return "", fmt.Errorf("open the secret of a webhook (was it sealed with the key of another data directory? change the secret): %w", err)
	}
	return string(secret), nil
}
