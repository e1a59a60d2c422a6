package replay

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"mybeacon/schema"
)

// alone takes the site on the server for this replay, until release. Another one
// would issue new tokens, which cuts this one's connections: it is of kind Conflict
// while somebody has it. It works between the processes of one machine, and ends
// with the process whatever happens to it.
func alone(server, site string) (release func(), err error) {
	sum := sha256.Sum256([]byte(server + "\x00" + site))
	path := filepath.Join(os.TempDir(), fmt.Sprintf("mybeacon-replay-%d-%s.lock", os.Getuid(), hex.EncodeToString(sum[:8])))
	for {
		f, err := locked(path)
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, schema.Errorf(schema.Conflict, "site", "%.80q is being replayed to %s already; wait for its end, or replay under another --site", site, server)
		case err != nil:
			return nil, fmt.Errorf("take the site for this replay: %w", err)
		}
		if current(f, path) {
			return func() { _, _ = os.Remove(path), f.Close() }, nil
		}
		_ = f.Close() // its last owner has removed it between our opening and locking it
	}
}

// locked opens the file, which it makes if need be, and locks it without waiting.
func locked(path string) (*os.File, error) {
	// A link that somebody put into the shared folder is not followed.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// current reports whether the path is still the file's.
func current(f *os.File, path string) bool {
	ours, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(ours, there)
}
