package embedded

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// childAttr makes a child that gets sig when this process dies and that runs as
// the user, if one is given.
func childAttr(sig syscall.Signal, as *syscall.Credential) *syscall.SysProcAttr {
	// A process group of its own: ^C at the terminal is for the server, which
	// then stops its stores in order.
	return &syscall.SysProcAttr{Pdeathsig: sig, Credential: as, Setpgid: true}
}

// capDACReadSearch lets a process read and search directories that its user may
// not (linux/capability.h).
const capDACReadSearch = 2

// passDirectories lets the child of another user reach what lies below
// directories that are closed to it, such as root's home or a temporary
// directory. It may read there, but write only what is its own.
func passDirectories(attr *syscall.SysProcAttr) { attr.AmbientCaps = []uintptr{capDACReadSearch} }

// mayPassDirectories reports whether this process has the right to hand on; a
// container may have taken it from root.
func mayPassDirectories() bool {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "CapPrm:"); ok {
			held, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return err == nil && held&(1<<capDACReadSearch) != 0
		}
	}
	return false
}
