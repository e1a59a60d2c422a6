package embedded

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// pgUser is whom PostgreSQL runs as: nil is ourselves. PostgreSQL refuses to run
// as root, so root picks someone else.
func pgUser(cfg Config, cluster string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if cfg.RunAs != "" {
		return lookUpUser(cfg.RunAs)
	}
	// An existing cluster stays with its owner.
	if info, err := os.Stat(filepath.Join(cluster, "PG_VERSION")); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			return &syscall.Credential{Uid: st.Uid, Gid: st.Gid}, nil
		}
	}
	for _, name := range []string{"mybeacon", "postgres", "nobody"} {
		if cred, err := lookUpUser(name); err == nil {
			return cred, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and none of the users mybeacon, postgres, nobody exists: make one (useradd --system mybeacon) or start the server as another user")
}

func lookUpUser(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL's user: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil || uid == 0 {
		return nil, fmt.Errorf("PostgreSQL cannot run as user %s (%s)", name, u.Uid)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL cannot run as user %s: group %s", name, u.Gid)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// own gives the path to the user.
func own(path string, as *syscall.Credential) error {
	if as == nil {
		return nil
	}
	return os.Chown(path, int(as.Uid), int(as.Gid))
}
