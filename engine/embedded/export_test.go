package embedded

import "syscall"

// Doors for the tests of the package from outside.
var (
	CheckPlatform = checkPlatform
	Reachable     = reachable
	Orphans       = orphans
)

// NewLines returns a writer that passes lines to emit, and its tail function.
func NewLines(emit func(string)) (write func([]byte) (int, error), tail func() string) {
	l := &lines{emit: emit}
	return l.Write, l.tail
}

// Kill sends a signal to a store's process.
func Kill(pid int, sig syscall.Signal) error { return syscall.Kill(pid, sig) }

// OpenToAll lets everybody read and run what is in dir.
func OpenToAll(dir string) error { return openToAll(dir) }
