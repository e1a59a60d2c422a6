package embedded

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// secrets are the random passwords of one data directory.
type secrets struct {
	PostgresPassword string `json:"postgres_password"`
	ClickHouseServer string `json:"clickhouse_server_token"`
	ClickHouseReader string `json:"clickhouse_reader_token"`
	// These are never empty in memory; files of earlier servers lack them.
	ClickHouseAnalyst string `json:"clickhouse_analyst_token"`
	PostgresRuntime   string `json:"postgres_runtime_password"`
}

// loadSecrets reads the directory's secrets or makes them at first use.
func loadSecrets(dir string) (secrets, error) {
	path := filepath.Join(dir, "secrets.json")
	var s secrets
	err := readJSON(path, &s)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, "postgres", "PG_VERSION")); err == nil {
			return s, fmt.Errorf("%s is missing, and the database in %s was made with the password it held: restore the file from a backup", path, dir)
		}
		s = secrets{PostgresPassword: randomHex(24), ClickHouseServer: randomHex(24), ClickHouseReader: randomHex(24)}
		s.addLater()
		return s, writeJSON(path, s)
	}
	if err == nil && (s.PostgresPassword == "" || s.ClickHouseServer == "" || s.ClickHouseReader == "") {
		err = errors.New("a secret is empty: restore the file from a backup")
	}
	if err != nil {
		return secrets{}, fmt.Errorf("read %s: %w", path, err)
	}
	if s.addLater() {
		return s, writeJSON(path, s)
	}
	return s, nil
}

// addLater makes the secrets that came later where they are missing, and reports
// whether it made any.
func (s *secrets) addLater() bool {
	made := false
	for _, secret := range []*string{&s.ClickHouseAnalyst, &s.PostgresRuntime} {
		if *secret == "" {
			*secret, made = randomHex(24), true
		}
	}
	return made
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}

// Endpoint is how another process of this machine, which may read the data
// directory, reaches a running store.
type Endpoint struct {
	URL string `json:"url"` // with its password
	PID int    `json:"pid"` // of the server that wrote it
}

// ReadEndpoint returns the read-only endpoint of the running server's warehouse.
// The error says that no server runs on the directory when there is none.
func ReadEndpoint(dataDir string) (Endpoint, error) { return readEndpoint(dataDir, clickHouseFile) }

// ReadPostgresEndpoint returns the endpoint of the running server's PostgreSQL.
func ReadPostgresEndpoint(dataDir string) (Endpoint, error) {
	return readEndpoint(dataDir, postgresFile)
}

const (
	clickHouseFile = "clickhouse.json"
	postgresFile   = "postgres.json"
)

func readEndpoint(dataDir, name string) (Endpoint, error) {
	var e Endpoint
	path := filepath.Join(dataDir, name)
	err := readJSON(path, &e)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return e, fmt.Errorf("no server is running on %s (there is no %s): start it, or name its directory with --data", dataDir, path)
	case errors.Is(err, os.ErrPermission):
		return e, fmt.Errorf("%s may be read by the server's user only: run the command as that user", path)
	case err != nil:
		return e, fmt.Errorf("read %s: %w", path, err)
	}
	return e, nil
}

// WriteEndpoint records how the warehouse of the running server is read, also
// when it is a server of its own. [Stores] does it by itself for the embedded one.
func WriteEndpoint(dataDir string, e Endpoint) error {
	return writeJSON(filepath.Join(dataDir, clickHouseFile), e)
}

func readJSON(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// writeJSON replaces the file in one step, readable by its owner only.
func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
