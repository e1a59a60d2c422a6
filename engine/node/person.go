package node

import (
	"context"

	shell "mybeacon/http"
)

// HashPassword checks a new password of the e-mail by the rules of the console and
// returns what to store of it.
func HashPassword(ctx context.Context, email, password string) (string, error) {
	if err := shell.CheckEmail(email); err != nil {
		return "", err
	}
	if err := shell.CheckNewPassword("password", password, email); err != nil {
		return "", err
	}
	passwords, err := shell.NewPasswords()
	if err != nil {
		return "", err
	}
	return passwords.Hash(ctx, password)
}
