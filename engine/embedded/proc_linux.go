package embedded

import "syscall"

// childAttr makes a child that gets sig when this process dies and that runs as
// the user, if one is given.
func childAttr(sig syscall.Signal, as *syscall.Credential) *syscall.SysProcAttr {
	// A process group of its own: ^C at the terminal is for the server, which
	// then stops its stores in order.
	return &syscall.SysProcAttr{Pdeathsig: sig, Credential: as, Setpgid: true}
}
