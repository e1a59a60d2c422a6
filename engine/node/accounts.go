package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	shell "mybeacon/http"
	"mybeacon/http/accounthttp"
)

// secretKeyFile holds the key that secrets of second factors are sealed with: a copy of
// the database alone opens none.
const secretKeyFile = "secret.key"

// secretKey returns the key of the data directory, made at the first start.
func secretKey(data string) ([]byte, error) {
	file := filepath.Join(data, secretKeyFile)
	key, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, shell.KeyBytes)
		if _, err := rand.Read(key); err != nil {
			panic("BUG: crypto/rand failed: " + err.Error())
		}
		// Exclusive: what another process made meanwhile must not be lost.
		err = writeNew(file, key)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of second factors: %w", err)
	}
	if len(key) != shell.KeyBytes {
		return nil, fmt.Errorf("read the key of second factors: %s has %d bytes, not %d; restore it from a backup, or remove it and have people set up their second factors anew", file, len(key), shell.KeyBytes)
	}
	return key, nil
}

func writeNew(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// buildAccounts adds the routes about people.
func (n *Node) buildAccounts() error {
	accounthttp.Register(n.shell, accounthttp.Config{
		DB: n.stores.relational, Mail: n.mails, Changed: func(ctx context.Context) { n.directory.Refresh(ctx) },
	})
	return nil
}
