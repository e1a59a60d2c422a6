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
	// A link that somebody put into the shared folder is not followed.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("take the site for this replay: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		_ = f.Close() // it was only asked
		return nil, schema.Errorf(schema.Conflict, "site", "%.80q is being replayed to %s already; wait for its end, or replay under another --site", site, server)
	case err != nil:
		_ = f.Close()
		return nil, fmt.Errorf("take the site for this replay: %w", err)
	}
	return func() { _ = f.Close() }, nil // the file stays: removed, two could each lock their own
}
