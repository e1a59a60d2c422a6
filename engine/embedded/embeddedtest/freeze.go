package embeddedtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Freeze stops a process and its children, such as those of PostgreSQL, so that they
// neither answer nor refuse, until resume is called or the test ends. A second resume
// does nothing.
func Freeze(tb testing.TB, pid int) (resume func()) {
	tb.Helper()
	// The parent first: it makes no more children then.
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		tb.Fatalf("stop process %d: %v", pid, err)
	}
	stopped := []int{pid}
	resume = sync.OnceFunc(func() {
		for _, p := range stopped {
			if err := syscall.Kill(p, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
				tb.Errorf("let process %d go on: %v", p, err)
			}
		}
	})
	tb.Cleanup(resume)
	children, err := childrenOf(pid)
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range children {
		if err := syscall.Kill(p, syscall.SIGSTOP); err == nil {
			stopped = append(stopped, p)
		}
	}
	return resume
}

// childrenOf reads the process table of Linux.
func childrenOf(pid int) (children []int, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		return nil, errors.Join(errors.New("there is no process table in /proc"), err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent …, where a name may hold anything.
		_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
		var state string
		var parent int
		if _, err := fmt.Sscan(rest, &state, &parent); err != nil || parent != pid {
			continue
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, fmt.Errorf("read the process table: %w", err)
		}
		children = append(children, child)
	}
	return children, nil
}
