//go:build !linux

package embedded

import "syscall"

// childAttr exists so that the server builds elsewhere; FindRuntime refuses to
// run the stores there.
func childAttr(_ syscall.Signal, as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true}
}
