package node

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"mybeacon/engine/store/postgres"
	shell "mybeacon/http"
)

// Login is who can log in first. Password is empty when somebody else than the
// server chose it.
type Login struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	File     string `json:"-"` // where the made-up password is kept until it is removed
}

// firstLoginFile keeps a made-up password until the administrator removes it:
// one that was printed once and scrolled away would cost the whole directory.
const firstLoginFile = "first-login.json"

// ensureAdmin makes the first super-admin, with a random password where none is
// configured.
func ensureAdmin(ctx context.Context, db *postgres.DB, cfg Config) (Login, error) {
	file := filepath.Join(cfg.Data, firstLoginFile)
	password := cfg.AdminPassword
	if password == "" {
		password = rand.Text()
	}
	created, err := shell.EnsureSuperAdmin(ctx, db, cfg.AdminEmail, password)
	switch {
	case err != nil:
		return Login{}, fmt.Errorf("make the first super-admin: %w", err)
	case created && cfg.AdminPassword == "":
		login := Login{Email: cfg.AdminEmail, Password: password, File: file}
		return login, keepLogin(login)
	case created:
		return Login{Email: cfg.AdminEmail}, nil
	}
	return readLogin(file)
}

func keepLogin(l Login) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(l.File, append(text, '\n'), 0o600)
}

func readLogin(file string) (Login, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Login{}, nil
	}
	l := Login{File: file}
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err != nil {
		return Login{}, fmt.Errorf("read the first login (remove the file if you know the password): %w", err)
	}
	return l, nil
}

// internalTokenDays bounds how long a token for the server's own demo lives if
// the process dies without ending it.
const internalTokenDays = 1

// InternalToken returns an API token of the first super-admin for parts that
// come through the public door from inside the process, such as the demo.
func (n *Node) InternalToken(ctx context.Context) (string, error) {
	account, err := n.stores.relational.FirstSuperAdmin(ctx)
	if err != nil {
		return "", fmt.Errorf("find the super-admin: %w", err)
	}
	token := postgres.NewSecret(postgres.APITokenPrefix)
	expires := time.Now().AddDate(0, 0, internalTokenDays)
	if _, err := n.stores.relational.CreateAPIToken(ctx, account, "server's own", token, expires); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	return token, nil
}
