package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// longestSocket is how long a unix socket's path may be: sun_path holds 108 bytes with its end.
const longestSocket = 107

// pgPlace is how PostgreSQL's user finds its files. A clone in root's home or
// in a fresh temporary directory is the usual first try, and there that user
// cannot pass the directories above. It is given no right to: it would then read
// every file of the machine, for whoever speaks SQL as the superuser. Instead
// the cluster is handed over as an open directory, the programs are copied to
// where they can be reached, and the socket lies there too.
type pgPlace struct {
	programs    string   // holds bin, lib, share
	socket      string   // directory of the socket
	hidden      bool     // the cluster can be reached by descriptor only
	clusterFile *os.File // that descriptor, while hidden

	outside string // a temporary directory, or ""
	record  string // the file that names it, for a start after a crash
}

// newPlace prepares the place. PostgreSQL runs as the user, nil being ourselves.
func newPlace(cfg Config, as *syscall.Credential) (pgPlace, error) {
	p := pgPlace{
		programs: cfg.Runtime.PostgresDir,
		socket:   filepath.Join(cfg.DataDir, "run"),
		record:   filepath.Join(cfg.DataDir, "postgres.tmp"),
	}
	p.sweep()
	p.hidden = !reachable(cfg.DataDir, as)
	if err := p.prepare(as); err != nil {
		return pgPlace{}, errors.Join(err, p.remove())
	}
	return p, nil
}

func (p *pgPlace) prepare(as *syscall.Credential) error {
	away := !reachable(filepath.Join(p.programs, "bin", "postgres"), as)
	noSocket := !fitsSocket(p.socket)
	if away || p.hidden || noSocket {
		if err := p.goOutside(as); err != nil {
			return fmt.Errorf("make a directory for PostgreSQL: %w", err)
		}
	}
	if away {
		copied := filepath.Join(p.outside, "postgres")
		if err := errors.Join(os.CopyFS(copied, os.DirFS(p.programs)), openToAll(copied)); err != nil {
			return fmt.Errorf("copy PostgreSQL to where its user reaches it: %w", err)
		}
		p.programs = copied
	}
	if p.hidden || noSocket {
		p.socket = filepath.Join(p.outside, "run")
	}
	if err := os.MkdirAll(p.socket, 0o700); err != nil {
		return fmt.Errorf("make a directory for PostgreSQL's socket: %w", err)
	}
	return own(p.socket, as)
}

// fitsSocket reports whether a socket in the directory can be named: its address
// is short, and server and clients take a comma for the end of a list's item.
func fitsSocket(dir string) bool {
	return len(filepath.Join(dir, ".s.PGSQL."+pgPort)) <= longestSocket && !strings.Contains(dir, ",")
}

// goOutside makes a directory that everybody can pass and nobody else can change.
func (p *pgPlace) goOutside(as *syscall.Credential) error {
	parent, err := outsideParent(as)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(parent, outsidePrefix)
	if err != nil {
		return err
	}
	p.outside = dir
	return errors.Join(os.Chmod(dir, 0o711), os.WriteFile(p.record, []byte(dir), 0o600))
}

// outsideParent returns a directory for temporary ones that the user can pass and
// below which a socket can be named. TMPDIR is often our own alone: a service's, or
// what mktemp made.
func outsideParent(as *syscall.Credential) (string, error) {
	for _, dir := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && len(dir) <= longestSocket-50 && reachable(dir, as) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("PostgreSQL's user can pass neither %s nor /tmp nor /var/tmp: set TMPDIR to a directory that it can", os.TempDir())
}

const outsidePrefix = "mybeacon-run-"

// openToAll lets everybody read and run what is in dir, whatever this process's mask took away.
func openToAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Type()&os.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode()&0o100 != 0 {
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}

// sweep removes the directory of a server that was killed.
func (p *pgPlace) sweep() {
	b, err := os.ReadFile(p.record)
	if dir := string(b); err == nil && strings.HasPrefix(filepath.Base(dir), outsidePrefix) {
		os.RemoveAll(dir)
	}
	os.Remove(p.record)
}

// openCluster opens the cluster's directory where it can be reached by descriptor only.
func (p *pgPlace) openCluster(cluster string) (err error) {
	if p.hidden {
		p.clusterFile, err = os.Open(cluster)
	}
	return err
}

// clusterArg names the cluster to a program: by its path, or as the descriptor it inherits.
func (p *pgPlace) clusterArg(cluster string) string {
	if p.hidden {
		return "/proc/self/fd/3"
	}
	return cluster
}

// remove takes everything away but the cluster.
func (p *pgPlace) remove() error {
	var err error
	if p.clusterFile != nil {
		err = p.clusterFile.Close()
	}
	err = errors.Join(err, os.RemoveAll(p.socket))
	if p.outside != "" {
		err = errors.Join(err, os.RemoveAll(p.outside), os.Remove(p.record))
	}
	return err
}

// reachable reports whether the user can pass every directory on the way to
// path and enter it. Of a file and of what does not exist yet nothing is asked.
func reachable(path string, as *syscall.Credential) bool {
	if as == nil {
		return true
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && !mayEnter(info, as) {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func mayEnter(info os.FileInfo, as *syscall.Credential) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode().Perm()
	switch {
	case !ok:
		return true
	case st.Uid == as.Uid:
		return mode&0o100 != 0
	case st.Gid == as.Gid:
		return mode&0o010 != 0
	}
	return mode&0o001 != 0
}
